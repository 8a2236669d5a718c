"""Raw COPY of the very rows that ingest wrote, batch by batch: the limit that ingest is measured against."""

from __future__ import annotations

import psycopg

from benchmarks.measure import seconds

_BRONZE = 'topic, partition, "offset", key, message_id, stream_id, outcome, received_at, payload'
_EVENTS = "originator_id, originator_version, topic, state"


def rows_of(conninfo: str, batch: int) -> tuple[list[bytes], list[bytes], int]:
    """Return the rows that ingest wrote as binary COPY data, a batch each."""
    with psycopg.connect(conninfo) as connection:
        bronze = _batches(connection, "bronze.messages", _BRONZE, 'received_at, topic, partition, "offset"', batch)
        row = connection.execute("SELECT count(*) FROM events.stored_events").fetchone()
        assert row is not None
        size = -(-row[0] // len(bronze))
        log = _batches(connection, "events.stored_events", _EVENTS, "notification_id", size)
    return bronze, log, row[0]


def _batches(connection: psycopg.Connection, table: str, columns: str, order: str, size: int) -> list[bytes]:
    numbered = f"SELECT {columns}, row_number() OVER (ORDER BY {order}) AS number FROM {table}"
    connection.execute(f"CREATE TEMP TABLE numbered ON COMMIT DROP AS {numbered}".encode())
    connection.execute("CREATE INDEX ON numbered (number)")
    row = connection.execute("SELECT count(*) FROM numbered").fetchone()
    assert row is not None
    batches = []
    for first in range(1, row[0] + 1, size):
        query = (
            f"COPY (SELECT {columns} FROM numbered WHERE number BETWEEN {first} AND {first + size - 1} "
            "ORDER BY number) TO STDOUT (FORMAT BINARY)"
        )
        with connection.cursor().copy(query.encode()) as copy:
            batches.append(b"".join(bytes(part) for part in copy))
    connection.execute("DROP TABLE numbered")
    return batches


def copy_in(conninfo: str, bronze: list[bytes], log: list[bytes]) -> float:
    """Send the rows into a fresh database, a transaction a batch; return the seconds."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return seconds(lambda: _copy_in(connection, bronze, log))


def _copy_in(connection: psycopg.Connection, bronze: list[bytes], log: list[bytes]) -> None:
    for messages_of_batch, events_of_batch in zip(bronze, log, strict=True):
        with connection.transaction():
            _send(connection, f"COPY bronze.messages ({_BRONZE}) FROM STDIN (FORMAT BINARY)", messages_of_batch)
            _send(connection, f"COPY events.stored_events ({_EVENTS}) FROM STDIN (FORMAT BINARY)", events_of_batch)


def _send(connection: psycopg.Connection, statement: str, rows: bytes) -> None:
    with connection.cursor().copy(statement.encode()) as copy:
        copy.write(rows)
