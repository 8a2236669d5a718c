"""Which log the recorded positions count in: those of one log mean nothing in another, and would skip messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.aggregates import TOPICS
from application.errors import PlatformError
from application.ports.message_stream import LogIdentity, Partition, RecreatedTopicError

TOPIC_LOG = LogIdentity("the topic log of this database")

Starts = Mapping[Partition, int]
"""Where each partition ended in the log before; empty for the first log of a database."""

_LAST = "SELECT name, topics, starts FROM bronze.logs ORDER BY number DESC LIMIT 1"
_ADD = "INSERT INTO bronze.logs (name, topics, starts) VALUES (%s, %s, %s)"
_KNOW = "UPDATE bronze.logs SET topics = topics || %s WHERE number = (SELECT max(number) FROM bronze.logs)"
_FORGET = "DELETE FROM bronze.leader_epochs WHERE topic_id = ANY(%s)"
_POSITIONS = "SELECT topic, partition, next_offset FROM bronze.positions"
_TOPIC_LOG = "SELECT topic, partition, next_offset FROM stream.partitions WHERE topic = ANY(%s)"


class OtherLogError(PlatformError):
    """The database takes in from another log than the one that the settings name."""


class UndrainedLogError(PlatformError):
    """Messages of the log that is to be left are not taken in yet, or may not be."""


class PostgresLogIdentity:
    """Ties a database to the log that it takes in from."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def claim(self, named: LogIdentity) -> Starts:
        """Return where the offsets of the log begin; the first log that is used becomes the database's log.

        Raises:
            OtherLogError: messages of another log were taken in already, or wait there.
            RecreatedTopicError: messages of a topic were taken in that is not this one, though it has the name.
        """
        with self._connection() as connection:
            log = _Log.last(connection)
            if log.name == named.name:
                if anew := log.recreated(named):
                    raise RecreatedTopicError(
                        f"{', '.join(anew)} of {log.name}: deleted and created anew since messages were taken in, so "
                        "that positions in it mean nothing. `dataflow switch-log` has it read from its first message; "
                        "what the old one held beyond its positions is gone"
                    )
                if named.topics.items() - log.topics.items():
                    connection.execute(_KNOW, [Jsonb(named.topics)])
                return log.starts
            if log.positions or log.waiting:
                raise OtherLogError(
                    f"this database takes in from {log.name}, but the settings name {named.name}: positions of the one "
                    "mean nothing in the other, and messages would be skipped. Set what was set before, or move the "
                    "database with `dataflow switch-log`"
                )
            connection.execute(_ADD, [named.name, Jsonb(named.topics), Jsonb({})])
            return {}

    def switch(self, named: LogIdentity, *, drained: bool, reread: Collection[str] = ()) -> Starts:
        """Take in from another log from now on, or from topics that were created anew; return where offsets begin.

        Nobody may consume meanwhile.

        `drained` says that everything in the log so far was taken in; of the topic log that is known. `reread` names
        topics of the same log whose offsets count anew, because what lies before the positions was written anew.

        Raises:
            UndrainedLogError: messages of the log so far wait, or may wait.
        """
        with self._connection() as connection:
            log = _Log.last(connection)
            if log.name == named.name:
                anew = {*log.recreated(named), *reread}
                ended = {place: end for place, end in log.positions.items() if place.topic in anew}
                starts = {**log.starts, **ended}
                connection.execute(_FORGET, [[named.topics[topic] for topic in reread]])
                if anew:
                    connection.execute(_ADD, [named.name, Jsonb({**log.topics, **named.topics}), Jsonb(_texts(starts))])
                return starts
            if log.waiting:
                raise UndrainedLogError(
                    f"{log.waiting:,} messages wait in {log.name}: take them in first, with `dataflow consume --once` "
                    "and DATAFLOW_KAFKA_BOOTSTRAP not set"
                )
            if log.name != TOPIC_LOG.name and log.positions and not drained:
                raise UndrainedLogError(
                    f"whether messages wait in {log.name} is not known here: take in all of them, then say --drained"
                )
            connection.execute(_ADD, [named.name, Jsonb(named.topics), Jsonb(_texts(log.positions))])
            return log.positions

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Give a transaction that is alone in asking and changing."""
        with translated(), self._pool.connection() as connection:
            connection.execute("LOCK TABLE bronze.logs IN EXCLUSIVE MODE")
            yield connection


class _Log(NamedTuple):
    """The log so far, how far it was taken in, and, of the topic log, how many messages wait."""

    name: str | None
    topics: dict[str, str]
    starts: Starts
    positions: Starts
    waiting: int

    @classmethod
    def last(cls, connection: Connection) -> _Log:
        """Read it. Before logs were recorded, a database that never used its topic log was one of the Kafka named."""
        ends = _places(connection.execute(_TOPIC_LOG, [list(TOPICS)]))
        unnamed = TOPIC_LOG.name if any(ends.values()) else None
        name, topics, texts = connection.execute(_LAST).fetchone() or (unnamed, {}, {})
        starts = _places((*_place(text), start) for text, start in texts.items())
        positions = _places(connection.execute(_POSITIONS)) if name is not None else {}
        taken = sum(positions.get(place, starts.get(place, 0)) - starts.get(place, 0) for place in ends)
        waiting = sum(ends.values()) - taken if name == TOPIC_LOG.name else 0
        return cls(name, topics, starts, positions, waiting)

    def recreated(self, named: LogIdentity) -> list[str]:
        """Return the topics that messages were taken in from under another id than they have now."""
        read = {place.topic for place, position in self.positions.items() if position > self.starts.get(place, 0)}
        return sorted(t for t in read & named.topics.keys() if self.topics.get(t, named.topics[t]) != named.topics[t])


def _places(rows: Iterable[tuple[str, int, int]]) -> dict[Partition, int]:
    return {Partition(topic, number): offset for topic, number, offset in rows}


def _texts(starts: Starts) -> dict[str, int]:
    return {f"{place.topic}/{place.number}": end for place, end in starts.items()}


def _place(text: str) -> tuple[str, int]:
    topic, _, number = text.rpartition("/")
    return topic, int(number)
