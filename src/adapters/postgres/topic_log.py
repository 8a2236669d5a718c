"""The embedded message stream: a durable topic log in PostgreSQL."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from zlib import crc32

import psycopg
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.aggregates import TOPICS
from application.ports.event_store import StoreUnavailableError
from application.ports.message_stream import (
    POLL_BYTES,
    OutgoingMessage,
    Partition,
    ReceivedMessage,
    StreamUnavailableError,
)

_CHANNEL = "stream_messages"
_PARTITIONS = (
    "SELECT topic, partition, next_offset FROM stream.partitions WHERE topic = ANY(%s) ORDER BY topic, partition"
)
_CLAIM = (
    "UPDATE stream.partitions SET next_offset = next_offset + %s WHERE topic = %s AND partition = %s "
    "RETURNING next_offset - %s"
)
_COPY = 'COPY stream.messages (topic, partition, "offset", key, payload) FROM STDIN (FORMAT BINARY)'
_POLL = (
    'SELECT p.topic, p.partition, m."offset", m.key, m.payload '
    "FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS p (topic, partition, next) CROSS JOIN LATERAL ("
    'SELECT *, sum(size) OVER (ORDER BY "offset" ROWS UNBOUNDED PRECEDING) AS bytes FROM ('
    "SELECT *, octet_length(key) + octet_length(payload) AS size FROM stream.messages s "
    'WHERE s.topic = p.topic AND s.partition = p.partition AND s."offset" >= p.next '
    'ORDER BY s."offset" LIMIT %s) page) m '
    "WHERE m.bytes <= %s OR m.bytes = m.size"
)


class PostgresTopicLog:
    """The `MessageStream` port on PostgreSQL; a partition's row lock keeps its offsets in commit order."""

    def __init__(self, pool: ConnectionPool, conninfo: str, topics: Sequence[str] = TOPICS) -> None:
        """Read the given topics; messages may be published to any topic of the log."""
        self._pool = pool
        self._conninfo = conninfo
        self._topics = list(topics)
        self._next: dict[Partition, int] = {}
        self._listener: psycopg.Connection | None = None

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append messages in one transaction; see the port."""
        with _translated(), self._pool.connection() as connection:
            numbers = _partition_numbers(connection)
            grouped: dict[Partition, list[OutgoingMessage]] = defaultdict(list)
            for message in messages:
                number = crc32(message.key.encode()) % numbers[message.topic]
                grouped[Partition(message.topic, number)].append(message)
            starts = {}
            for partition, group in sorted(grouped.items()):
                row = connection.execute(_CLAIM, [len(group), *partition, len(group)]).fetchone()
                assert row is not None
                starts[partition] = row[0]
            with connection.cursor().copy(_COPY) as copy:
                copy.set_types(("text", "int4", "int8", "text", "bytea"))
                for partition, group in grouped.items():
                    for offset, message in enumerate(group, starts[partition]):
                        copy.write_row((*partition, offset, message.key, message.payload))
            connection.execute(f"NOTIFY {_CHANNEL}")

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read each partition from the given offset on, the others from their start."""
        self._next = dict(positions)

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Return up to `limit` messages; see the port."""
        deadline = time.monotonic() + timeout
        with _translated():
            while True:
                messages = self._read(limit)
                remaining = deadline - time.monotonic()
                if messages or remaining <= 0:
                    return messages
                self._wait(remaining)

    def passed(self) -> dict[Partition, int]:
        """Return nothing: every offset is a message."""
        return {}

    def ends(self) -> dict[Partition, int]:
        """Return the offset that each partition's next message gets."""
        with _translated(), self._pool.connection() as connection:
            rows = connection.execute(_PARTITIONS, [self._topics]).fetchall()
        return {Partition(topic, number): end for topic, number, end in rows}

    def readable(self) -> dict[Partition, int]:
        """Return the ends: what is published can be read."""
        return self.ends()

    def is_read_here(self, partition: Partition) -> bool:
        """Tell whether the topic is read: there is one reader, and it reads all of its partitions."""
        return partition.topic in self._topics

    def behind(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return how many messages each partition holds from its position on."""
        return {partition: end - positions.get(partition, 0) for partition, end in self.ends().items()}

    def acknowledge(self, positions: Mapping[Partition, int]) -> None:
        """Nothing to do: the positions that count are in the same database."""

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _read(self, limit: int) -> list[ReceivedMessage]:
        behind = {p: self._next.get(p, 0) for p, end in self.ends().items() if end > self._next.get(p, 0)}
        if not behind:
            return []
        share, share_of_bytes = max(1, limit // len(behind)), POLL_BYTES // len(behind)
        topics, numbers = [p.topic for p in behind], [p.number for p in behind]
        arguments = [topics, numbers, list(behind.values()), share, share_of_bytes]
        with self._pool.connection() as connection:
            rows = connection.cursor().execute(_POLL, arguments, binary=True).fetchall()
        messages = [ReceivedMessage(*row) for row in rows[:limit]]
        for message in messages:
            self._next[Partition(message.topic, message.partition)] = message.offset + 1
        return messages

    def _wait(self, seconds: float) -> None:
        """Wait for a publication; the first call only begins to listen, so that none is missed."""
        if self._listener is None or self._listener.closed:
            self._listener = psycopg.connect(self._conninfo, autocommit=True)
            self._listener.execute(f"LISTEN {_CHANNEL}")
            return
        for _ in self._listener.notifies(timeout=seconds, stop_after=1):
            pass


def _partition_numbers(connection: psycopg.Connection) -> dict[str, int]:
    rows = connection.execute("SELECT topic, count(*) FROM stream.partitions GROUP BY topic").fetchall()
    return dict(rows)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with translated():
            yield
    except StoreUnavailableError as error:
        raise StreamUnavailableError(str(error)) from error
