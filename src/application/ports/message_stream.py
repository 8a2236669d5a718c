"""The stream of messages between sources and ingest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from application.errors import PlatformError

POLL_BYTES = 16 * 1024 * 1024
"""What one poll of a stream returns in all, by `ReceivedMessage.size`."""


class Partition(NamedTuple):
    """One ordered part of a topic."""

    topic: str
    number: int


class LogIdentity(NamedTuple):
    """What tells one log from another: its name, and the ids that its topics have, where it gives them any."""

    name: str
    topics: Mapping[str, str] = {}


class OutgoingMessage(NamedTuple):
    """A message to publish; messages with the same key keep their order."""

    topic: str
    key: str
    payload: bytes


class Trace(NamedTuple):
    """The trace that a message travelled in, in the words of W3C Trace Context."""

    traceparent: str
    tracestate: str = ""


class ReceivedMessage(NamedTuple):
    """A message as received; offsets grow within a partition, not always by one.

    `trace` is what its transport says; an event that names a trace itself belongs to that one.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    payload: bytes
    trace: Trace | None = None

    @property
    def size(self) -> int:
        """Return about how many bytes it takes: those of its key and its payload."""
        return len(self.key or "") + len(self.payload)


class MessageStream(Protocol):
    """A durable, partitioned log of messages."""

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append messages durably: on return all of them are kept, on an error none or some are.

        Raises:
            StreamUnavailableError: the log can't be reached; publishing again is safe, ids repeat.
            OversizedMessageError: one of them is larger than the log takes.
        """

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read each partition from the given offset on; partitions that are not named, from the start."""

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Return up to `limit` messages, in offset order per partition; wait up to `timeout` seconds for one.

        Fewer come where they are large, so that memory has a bound: about POLL_BYTES in all, but one at least
        of each partition that has its turn.
        """

    def passed(self) -> dict[Partition, int]:
        """Return where to go on in partitions that hold nothing readable from the last message polled to there.

        So it is with the mark that ends a transaction, and with messages that expired. Each is returned once.
        """

    def ends(self) -> dict[Partition, int]:
        """Return the offset that the next message of each partition gets at the earliest."""

    def readable(self) -> dict[Partition, int]:
        """Return up to which offset each partition can be read: before its end where a transaction is open."""

    def is_read_here(self, partition: Partition) -> bool:
        """Tell whether the messages of a partition come to this reader, not to another; any thread may ask."""

    def behind(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return how many offsets each partition holds from its position on; those not named, from the start."""

    def acknowledge(self, positions: Mapping[Partition, int]) -> None:
        """Tell the log how far messages were taken in. For its own monitoring only, never for correctness."""


class RecreatedTopicError(PlatformError):
    """A topic was deleted and created anew since messages of it were taken in."""


class StreamUnavailableError(PlatformError):
    """The message stream can't be reached."""


class OversizedMessageError(PlatformError):
    """A message is larger than its topic takes; the error's text says which setting to raise."""

    def __init__(self, text: str, message: OutgoingMessage) -> None:
        super().__init__(text)
        self.message = message
