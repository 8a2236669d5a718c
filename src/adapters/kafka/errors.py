"""What can go wrong with Kafka, in words of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from application.errors import InvalidRequestError, PlatformError
from application.ports.message_stream import StreamUnavailableError


class KafkaSettingsError(InvalidRequestError):
    """A property of the Kafka client can't be set, or not to this value."""


class KafkaRefusedError(StreamUnavailableError):
    """The brokers were reached, but their certificate or our credentials are not accepted."""


class PositionLostError(PlatformError):
    """A recorded position lies beyond the end of its partition: this is not the log that was read."""


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
