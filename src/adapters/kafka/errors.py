"""What can go wrong with Kafka, in words of the platform."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from application.errors import InvalidRequestError, PlatformError
from application.ports.message_stream import StreamUnavailableError

log = logging.getLogger(__name__)

_STOPPING = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTHENTICATION,
        KafkaError._FATAL,
        KafkaError._BAD_MSG,
        KafkaError._BAD_COMPRESSION,
    }
)
"""Errors that waiting does not cure; the client recovers from the others by itself.

After a fatal one, such as another consumer of the same name, a client reads nothing any more: it takes a new one.
"""


class KafkaSettingsError(InvalidRequestError):
    """A property of the Kafka client can't be set, or not to this value."""


class KafkaRefusedError(StreamUnavailableError):
    """The brokers were reached, but their certificate or our credentials are not accepted."""


class PositionLostError(PlatformError):
    """A recorded position lies beyond the end of its partition, or this is not the log that was read."""


def reason_of(error: KafkaException) -> KafkaError:
    """Return what an exception is about."""
    reason = error.args[0]
    assert isinstance(reason, KafkaError)
    return reason


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into the port's."""
    try:
        yield
    except KafkaException as error:
        raise StreamUnavailableError(f"Kafka does not answer as it should: {reason_of(error).str()}") from error
    except FutureTimeoutError as error:
        raise StreamUnavailableError("Kafka does not answer") from error


def judge(error: KafkaError, place: str) -> None:
    """Raise what stops reading, log what passes."""
    if error.fatal() or error.code() in _STOPPING:
        raise StreamUnavailableError(f"Kafka refuses to go on{place}: {error.str()}")
    log.warning("Kafka: %s", error.str())
