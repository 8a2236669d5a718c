"""A service on the web: asked within its limits, again when it stumbles, not at all while it is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TypeVar

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_random, wait_random_exponential

from adapters.http.answer import Answer, FailedError, ask
from adapters.http.limits import Circuit, Clock, RateLimit
from application.ports.services import ServiceRefusedError, ServiceUnavailableError

T = TypeVar("T")

ATTEMPTS = 3
ANSWER_SECONDS = 10.0
PATIENCE_SECONDS = 15.0
"""What a caller waits at most for a rate limit or a Retry-After; beyond it the error says when to come back."""
_BACKOFF = wait_random_exponential(multiplier=0.5, max=5)
_JITTER = wait_random(0, 1)


class Service:
    """Asks one service; threads may share it.

    `name` is what errors and answers call it. Every request names this program, its version, and the contact (an
    address for the service's operators) if there is one. Services of one operator share a limit.
    """

    def __init__(
        self,
        name: str,
        url: str,
        limit: RateLimit,
        contact: str | None = None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        agent = f"dataflow-platform/{version('dataflow-platform')}{f' ({contact})' if contact else ''}"
        headers = {"User-Agent": agent, "Accept": "application/json"}
        try:
            self._client = httpx.Client(base_url=url, headers=headers, timeout=answer_seconds)
        except httpx.InvalidURL as error:
            raise ServiceUnavailableError(f"the address of {name} can't be used: {error}") from error
        self._answer_seconds = answer_seconds
        self._limit = limit
        self._circuit = Circuit(clock=clock)
        self._sleep = sleep
        self._retrying = Retrying(
            retry=retry_if_exception(_worth_retrying),
            stop=_enough,
            wait=_wait,
            sleep=sleep,
            reraise=True,
        )

    def get(self, path: str, parameters: Mapping[str, str], read: Callable[[Answer], T]) -> T:
        """Ask, and return what `read` makes of the answer; it raises msgspec.DecodeError for nonsense.

        Raises:
            ServiceUnavailableError: no usable answer after three attempts, or the service is left alone.
            ServiceRefusedError: as `read` raises it.
        """
        if (remaining := self._circuit.remaining()) > 0:
            raise ServiceUnavailableError(f"{self.name} failed and is left alone for {remaining:.0f} s", remaining)
        request = self._client.build_request("GET", path, params=parameters)
        try:
            result: T = self._retrying(self._attempt, request, read)
        except FailedError as error:
            self._circuit.failed(error.retry_after)
            after = max(error.retry_after, self._circuit.remaining())
            raise ServiceUnavailableError(f"{self.name} gives no usable answer: {error}", after) from error
        except ServiceRefusedError:
            self._circuit.succeeded()
            raise
        self._circuit.succeeded()
        return result

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _attempt(self, request: httpx.Request, read: Callable[[Answer], T]) -> T:
        while (wait := self._limit.take()) > 0:
            if wait > PATIENCE_SECONDS:
                message = f"{self.name} was asked as often as its limits allow; again in {wait:.0f} s"
                raise ServiceUnavailableError(message, wait)
            self._sleep(wait)
        answer = ask(self._client, request, self._answer_seconds)
        try:
            return read(answer)
        except msgspec.DecodeError as error:
            reason = f"what it says can't be understood ({error}); is its address that of another service?"
            raise FailedError(reason) from error


def _worth_retrying(error: BaseException) -> bool:
    return isinstance(error, FailedError) and error.retry


def _asked_for(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, FailedError) else 0.0


def _enough(state: RetryCallState) -> bool:
    return state.attempt_number >= ATTEMPTS or _asked_for(state) > PATIENCE_SECONDS


def _wait(state: RetryCallState) -> float:
    """Wait as long as the service asks and a little more, otherwise longer each time; never all at the same moment."""
    asked_for = _asked_for(state)
    return asked_for + _JITTER(state) if asked_for else _BACKOFF(state)
