"""The `SourceLedger` and `Outbox` ports on PostgreSQL, in the schema `sources`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from adapters.postgres.source_positions import claim_topics, move_positions, positions_of
from adapters.postgres.source_staging import PostgresStaging
from application.ports.event_store import ConcurrencyConflictError
from application.ports.message_stream import OutgoingMessage, Partition
from application.ports.source_ledger import Batch, KeptRow, Progress, Staging

_GROUPS = (
    "SELECT grp, seen_at FROM sources.touched WHERE source = %(source)s AND root = %(root)s "
    "ORDER BY grp LIMIT %(limit)s"
)
_COLUMNS = "table_name, key, root, grp, content, version, position"
_OF_GROUPS = "source = %(source)s AND (root = '' OR root = %(root)s AND grp = ANY(%(groups)s))"
_BEFORE = f"SELECT {_COLUMNS} FROM sources.rows WHERE {_OF_GROUPS} AND content IS NOT NULL ORDER BY table_name, key"
_AFTER = (
    f"SELECT {_COLUMNS} FROM (SELECT {_COLUMNS} FROM sources.changes WHERE {_OF_GROUPS} "
    f"UNION ALL SELECT {_COLUMNS} FROM sources.rows r WHERE {_OF_GROUPS} AND NOT EXISTS "
    "(SELECT FROM sources.changes c WHERE (c.source, c.table_name, c.key) = (r.source, r.table_name, r.key))) rows "
    "WHERE content IS NOT NULL ORDER BY table_name, key"
)
_EXACTLY = "source = %(source)s AND root = %(root)s AND grp = ANY(%(groups)s)"
_APPLY = (
    "INSERT INTO sources.rows (source, table_name, key, root, grp, version, position, content) "
    "SELECT source, table_name, key, root, grp, version, position, content "
    f"FROM sources.changes WHERE {_EXACTLY} "
    "ON CONFLICT (source, table_name, key) DO UPDATE SET root = excluded.root, grp = excluded.grp, "
    "version = excluded.version, position = coalesce(excluded.position, rows.position), content = excluded.content"
)
_APPLIED = f"DELETE FROM sources.changes WHERE {_EXACTLY}"
_DONE = f"DELETE FROM sources.touched WHERE {_EXACTLY}"
_SENT = (
    "INSERT INTO sources.state (source, sent, begun) VALUES (%(source)s, %(more)s, %(begun)s) "
    "ON CONFLICT (source) DO UPDATE SET sent = state.sent + excluded.sent, begun = state.begun OR excluded.begun "
    "RETURNING sent"
)
_DUE = "COPY sources.outbox (source, number, topic, key, payload) FROM STDIN (FORMAT BINARY)"


class PostgresSourceLedger:
    """Rows, changes, progress and due messages of sources, in the platform's database."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._claimed: dict[str, dict[str, str]] = {}

    def progress(self, source: str) -> Progress:
        """Return how far a source was read."""
        with self._transaction() as connection:
            marks = connection.execute("SELECT table_name, mark FROM sources.marks WHERE source = %s", [source])
            read: dict[str, str] = dict(marks.fetchall())
            return Progress(read, positions_of(connection, source), _state(connection, source)[0])

    def claim_topics(
        self, source: str, ids: Mapping[str, str], *, accept_recreated: bool = False, reread: Collection[str] = ()
    ) -> dict[Partition, int]:
        """Return where the offsets of topics begin to count; see the port."""
        with self._transaction() as connection:
            begin = claim_topics(connection, source, ids, accept_recreated=accept_recreated, reread=reread)
        self._claimed.setdefault(source, {}).update(ids)
        return begin

    @contextmanager
    def stage(self, source: str) -> Iterator[Staging]:
        """Begin a reading, in one transaction; see the port."""
        with self._transaction() as connection:
            yield PostgresStaging(connection, source, self._claimed.get(source, {}))

    def next_batch(self, source: str, roots: Sequence[str], limit: int) -> Batch | None:
        """Return some changed groups of the first root that has any."""
        with self._transaction() as connection:
            for root in roots:
                wanted: dict[str, Any] = {"source": source, "root": root, "limit": limit}
                touched = connection.execute(_GROUPS, wanted).fetchall()
                if not touched:
                    continue
                wanted["groups"] = [group for group, _ in touched]
                before, after = (_rows(connection, query, wanted) for query in (_BEFORE, _AFTER))
                moment = max(seen_at for _, seen_at in touched)
                sent, begun = _state(connection, source)
                return Batch(source, root, tuple(wanted["groups"]), before, after, moment, begun, sent)
        return None

    def settle(self, batch: Batch, messages: Sequence[OutgoingMessage], held: Collection[str] = ()) -> None:
        """Keep a batch's rows and messages in one transaction."""
        place = {"source": batch.source, "root": batch.root, "groups": list(batch.groups)}
        settled = {**place, "groups": [group for group in batch.groups if group not in held]}
        with self._transaction() as connection:
            connection.execute(_APPLY.encode(), settled)
            connection.execute(_APPLIED.encode(), settled)
            connection.execute(_DONE.encode(), place)
            sent = _put(connection, batch.source, messages, begun=not batch.root)
            if sent != batch.sent + len(messages):
                raise ConcurrencyConflictError(f"another process takes in {batch.source} as well")

    def keep(
        self,
        source: str,
        messages: Sequence[OutgoingMessage],
        positions: Mapping[Partition, int],
        read_from: Mapping[Partition, int] = {},
        reached: Mapping[Partition, int] = {},
    ) -> None:
        """Keep messages and positions in one transaction."""
        with self._transaction() as connection:
            _put(connection, source, messages, begun=False)
            ids = self._claimed.get(source, {})
            move_positions(connection, source, positions, read_from, ids, reached=reached)

    def waiting(self, source: str, limit: int) -> list[tuple[int, OutgoingMessage]]:
        """Return messages that are due."""
        query = "SELECT number, topic, key, payload FROM sources.outbox WHERE source = %s ORDER BY number LIMIT %s"
        with self._transaction() as connection:
            rows = connection.execute(query, [source, limit], binary=True)
            return [(number, OutgoingMessage(*message)) for number, *message in rows]

    def forget(self, source: str, number: int) -> None:
        """Forget messages that were published."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM sources.outbox WHERE source = %s AND number <= %s", [source, number])

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection]:
        with translated(), self._pool.connection() as connection:
            yield connection


def _state(connection: psycopg.Connection, source: str) -> tuple[int, bool]:
    row = connection.execute("SELECT sent, begun FROM sources.state WHERE source = %s", [source]).fetchone()
    return (row[0], row[1]) if row else (0, False)


def _rows(connection: psycopg.Connection, query: str, wanted: Mapping[str, Any]) -> list[KeptRow]:
    return [KeptRow(*row) for row in connection.execute(query.encode(), wanted, binary=True)]


def _put(connection: psycopg.Connection, source: str, messages: Sequence[OutgoingMessage], *, begun: bool) -> int:
    """Put messages into the outbox; return the number of the last message of the source."""
    row = connection.execute(_SENT, {"source": source, "more": len(messages), "begun": begun}).fetchone()
    assert row is not None
    sent: int = row[0]
    with connection.cursor().copy(_DUE) as copy:
        copy.set_types(("text", "int8", "text", "text", "bytea"))
        for number, message in enumerate(messages, sent - len(messages) + 1):
            copy.write_row((source, number, *message))
    return sent
