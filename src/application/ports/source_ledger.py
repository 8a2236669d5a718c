"""What is known of a source: its rows as they were last, what changed since, and the messages due for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from application.errors import PlatformError
from application.ports.event_store import ConcurrencyConflictError
from application.ports.message_stream import OutgoingMessage, Partition


class KeptRow(NamedTuple):
    """A row of a source as it is kept: texts by column in JSON, or None where the row is gone.

    `key` is unique in its table; rows with the same `root` and `group` make messages together. `position` is
    where the source's own log has the change, for rows that come from one.
    """

    table: str
    key: str
    root: str
    group: str
    content: bytes | None
    version: str | None = None
    position: int | None = None


class Progress(NamedTuple):
    """How far a source was read: marks by table, offsets by partition, the number of messages made so far."""

    marks: Mapping[str, str]
    positions: Mapping[Partition, int]
    sent: int


class Reading(NamedTuple):
    """What a reading of the source came to.

    `complete` names the tables of which every key was seen, so that rows not among them are gone; `lookups`
    gives the roots that each lookup table has a say in. Messages up to `positions` were read from `read_from` on,
    by a reader whose positions stand at `reached` at least. With `accept_deletes` any number of rows may be gone.
    """

    seen_at: datetime
    complete: Collection[str] = ()
    marks: Mapping[str, str] = {}
    positions: Mapping[Partition, int] = {}
    read_from: Mapping[Partition, int] = {}
    reached: Mapping[Partition, int] = {}
    lookups: Mapping[str, Collection[str]] = {}
    accept_deletes: bool = False


class Batch(NamedTuple):
    """Groups of one root that changed: their rows before and after, lookup rows among them.

    `moment` is when the source was seen so, `begun` whether the source was ever settled as a whole, `sent` the
    number of the last message made for it.
    """

    source: str
    root: str
    groups: tuple[str, ...]
    before: list[KeptRow]
    after: list[KeptRow]
    moment: datetime
    begun: bool
    sent: int


class Staging(Protocol):
    """A reading under way; what it found is kept when it is finished, all of it or nothing."""

    def add_rows(self, rows: Iterable[KeptRow]) -> int:
        """Take in rows as they are now; return how many."""

    def add_keys(self, table: str, keys: Iterable[tuple[str, str | None]]) -> int:
        """Take in the keys and versions of all rows that exist in a table; return how many."""

    def missing(self, table: str, limit: int) -> list[str]:
        """Return keys that exist, but whose row is unknown here or of another version and was not added yet."""

    def contents(self, table: str, keys: Collection[str]) -> dict[str, bytes | None]:
        """Return the contents of rows that are known, as they were before this reading; None of those gone."""

    def finish(self, reading: Reading) -> int:
        """Keep what differs from before, and how far was read; return how many rows differ.

        Raises:
            AmbiguousKeyError: two rows of a table have the same key.
            SourceShrankError: most rows of a table are gone, which is rather a mistake than a fact.
            PositionsWentBackError: the database lost what was committed: positions are below those that were reached.
            ConcurrencyConflictError: somebody else read the same messages meanwhile.
        """


class SourceLedger(Protocol):
    """Rows, changes and progress of sources; durable."""

    def progress(self, source: str) -> Progress:
        """Return how far a source was read."""

    def claim_topics(
        self, source: str, ids: Mapping[str, str], *, accept_recreated: bool = False, reread: Collection[str] = ()
    ) -> Mapping[Partition, int]:
        """Note the ids of topics that are read; return where the offsets of each partition begin to count.

        One that was created anew counts on from where the one before it was read to, if that is accepted; and so does
        one that is to be read again.

        Raises:
            RecreatedTopicError: messages of a topic were taken in that is not this one, though it has the name.
        """

    def stage(self, source: str) -> AbstractContextManager[Staging]:
        """Begin a reading; what was not finished when the context ends is forgotten."""

    def next_batch(self, source: str, roots: Sequence[str], limit: int) -> Batch | None:
        """Return up to `limit` changed groups of the first root that has any, None where none has."""

    def settle(self, batch: Batch, messages: Sequence[OutgoingMessage], held: Collection[str] = ()) -> None:
        """In one step keep a batch's rows as they are now, and its messages in the outbox.

        Groups that are held keep their rows as they were, and what changed aside, until more of them changes.

        Raises:
            ConcurrencyConflictError: somebody else settled something of this source meanwhile.
        """


class Outbox(Protocol):
    """Messages that are due, each until it was published: so none is lost, and none gets another id."""

    def keep(
        self,
        source: str,
        messages: Sequence[OutgoingMessage],
        positions: Mapping[Partition, int],
        read_from: Mapping[Partition, int] = {},
        reached: Mapping[Partition, int] = {},
    ) -> None:
        """In one step keep messages, and the positions from which and up to which they were made.

        Raises:
            PositionsWentBackError: the database lost what was committed: positions are below those that were reached.
            ConcurrencyConflictError: somebody else read the same messages meanwhile.
        """

    def waiting(self, source: str, limit: int) -> list[tuple[int, OutgoingMessage]]:
        """Return up to `limit` messages that are due, each with its number, in the order they were kept."""

    def forget(self, source: str, number: int) -> None:
        """Forget the messages up to a number: they were published."""


class PositionsWentBackError(ConcurrencyConflictError):
    """Positions are not as far as they were: what was read since has to be read again."""


class AmbiguousKeyError(PlatformError):
    """The columns that a mapping names as a table's key don't identify its rows."""


class SourceShrankError(PlatformError):
    """Most rows of a table are gone at the source."""
