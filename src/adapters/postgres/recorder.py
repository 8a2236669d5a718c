"""The eventsourcing library's PostgreSQL recorder with a faster way in: the same table, order and tracking.

Every writer takes one advisory lock before positions are assigned and holds it to the commit, so that
the order of positions is the order of commits and no reader passes over an open transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from psycopg import Connection, Cursor, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow

from adapters.postgres import binary_copy, locks
from adapters.postgres.binary_copy import int8, length, repeated_text

EVENTS_SCHEMA = "events"
FROZEN_SECONDS = 10.0
"""A writer that says nothing for so long within a transaction loses it: it would hold up all others."""
LOCK_SECONDS = 25.0
"""How long a writer waits for others before it looks whether one of them froze within a COPY.

Longer than it takes until two that froze have lost their transactions, the second of which waited for the first.
"""
# No timeout of the server ends a COPY that waits for its client.
_END_FROZEN = f"""
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND usesysid = current_user::regrole AND pid <> pg_backend_pid()
    AND state = 'active' AND wait_event = 'ClientRead' AND query_start < now() - %s * interval '1 s'
    AND (query LIKE 'COPY bronze.messages %%' OR query LIKE 'COPY "{EVENTS_SCHEMA}"."stored_events" %%')
"""

Row = tuple[str, int, str, bytes]
_row_begins = Struct("!hi").pack


class Datastore(PostgresDatastore):
    """The library's pool, opened by a libpq connection string."""

    def __init__(self, conninfo: str, *, pool_size: int = 2) -> None:
        options = conninfo_to_dict(conninfo)
        super().__init__(
            dbname=str(options.pop("dbname", "") or ""),
            host=str(options.pop("host", "") or ""),
            port=str(options.pop("port", "") or ""),
            user=str(options.pop("user", "") or ""),
            password=str(options.pop("password", "") or ""),
            pool_size=pool_size,
            max_overflow=8,
            pre_ping=True,
            schema=EVENTS_SCHEMA,
            idle_in_transaction_session_timeout=FROZEN_SECONDS,
            originator_id_type="text",
            single_row_tracking=True,
        )
        assert isinstance(self.pool.kwargs, dict)
        given = {**self.pool.kwargs, **options}
        self.pool.kwargs = {name: value for name, value in given.items() if value not in ("", None)}

    def after_connect_func(self) -> Callable[[Connection[Any]], None]:
        """Return what prepares a connection: it waits for no lock for ever."""
        prepare, milliseconds = super().after_connect_func(), int(LOCK_SECONDS * 1000)

        def prepared(connection: Connection[Any]) -> None:
            prepare(connection)
            connection.execute(f"SET lock_timeout = {milliseconds}".encode())

        return prepared


class Recorder(PostgresProcessRecorder):
    """Appends by binary COPY under an advisory lock instead of composite arrays under a table lock."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore)
        self.lock_table_statements = [sql.SQL("SELECT pg_advisory_xact_lock({0})").format(sql.Literal(locks.APPEND))]
        self._copy = sql.SQL(
            "COPY {schema}.{table} (originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)"
        ).format(schema=sql.Identifier(self.datastore.schema), table=sql.Identifier(self.events_table_name))
        self._tail = sql.SQL(
            "SELECT notification_id FROM {schema}.{table} ORDER BY notification_id DESC LIMIT %s"
        ).format(schema=sql.Identifier(self.datastore.schema), table=sql.Identifier(self.events_table_name))

    def append(
        self,
        rows: Sequence[Row],
        *,
        tracking: Tracking | None = None,
        first: Callable[[Cursor[DictRow]], None] | None = None,
        last: Callable[[Cursor[DictRow]], None] | None = None,
    ) -> None:
        """Append rows (stream id, version, topic, state) in one transaction.

        `first` writes what needs no position and runs before the lock is taken; `last` runs just before
        the commit.
        """
        with self.datastore.get_connection() as connection, connection.transaction():
            cursor = connection.cursor()
            if first is not None:
                first(cursor)
            if tracking is not None:
                self._insert_tracking(cursor, tracking)
            self._copy_events(cursor, rows)
            if last is not None:
                last(cursor)

    def end_frozen(self) -> int:
        """End the sessions of writers that froze within a COPY; return how many there were."""
        with self.datastore.get_connection() as connection:
            row = connection.execute(_END_FROZEN, [min(FROZEN_SECONDS, LOCK_SECONDS)]).fetchone()
        return int(row["count"]) if row else 0

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append as the library asks for it; return the positions assigned."""
        rows = [(str(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events]
        positions: list[int] = []

        def read_positions(cursor: Cursor[DictRow]) -> None:
            cursor.execute(self._tail, [len(rows)])
            positions.extend(row["notification_id"] for row in reversed(cursor.fetchall()))

        self.append(rows, tracking=kwargs.get("tracking"), last=read_positions)
        return positions

    def _copy_events(self, cursor: Cursor[DictRow], rows: Sequence[Row]) -> None:
        if not rows:
            return
        parts = encoded(rows)
        self._lock_table(cursor)
        binary_copy.send(cursor, self._copy, parts)
        self._notify_channel(cursor)


def encoded(rows: Sequence[Row]) -> list[bytes]:
    """Return the rows of the events' table in parts."""
    parts: list[bytes] = []
    for stream_id, version, topic, state in rows:
        name = stream_id.encode()
        parts += (
            _row_begins(4, len(name)),
            name,
            int8(8, version),
            repeated_text(topic),
            length(len(state)),
            state,
        )
    return parts
