"""From the topic log to the committed event store and bronze, beside raw COPY of the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg

from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.topic_log import PostgresTopicLog
from application.ingest.publishing import publish_all
from application.ingest.service import Ingest, IngestSettings
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from benchmarks.measure import Result, median, seconds, server, spread
from entrypoints.pipeline import tune_interpreter

ORDERS = 10_000
ROUNDS = 3
BATCH = IngestSettings().batch_size
_BRONZE = 'topic, partition, "offset", key, message_id, stream_id, outcome, received_at, payload'
_EVENTS = "originator_id, originator_version, topic, state"


def run() -> list[Result]:
    """Measure ingest and COPY in turn, on fresh databases of one server."""
    start = datetime.now(UTC) - timedelta(days=91)
    made = list(messages(SimulationSettings(start=start, orders=ORDERS)))
    ingest_rates, copy_rates = [], []
    events = 0
    with server() as fresh:
        for _ in range(ROUNDS):
            conninfo = fresh()
            ingest_rates.append(len(made) / _ingest(conninfo, made))
            bronze, log, events = _rows(conninfo)
            copy_rates.append(len(made) / _copy(fresh(), bronze, log))
    value, baseline = median(ingest_rates), median(copy_rates)
    return [
        Result(
            "ingest.topic_log",
            round(value),
            "messages/s",
            f"raw COPY of the same rows, {BATCH} messages a transaction: {baseline:,.0f} messages/s",
            round(value / baseline, 3),
            {
                "messages": len(made),
                "events": events,
                "rounds": spread(ingest_rates),
                "baseline_rounds": spread(copy_rates),
            },
        )
    ]


def _ingest(conninfo: str, made: list) -> float:  # type: ignore[type-arg]
    with open_pool(conninfo) as pool:
        stream = PostgresTopicLog(pool, conninfo)
        publish_all(stream, made)
        store = PostgresEventStore(conninfo)
        ingest = Ingest(store, PostgresInbox(pool), stream, lambda: datetime.now(UTC))
        tune_interpreter()
        elapsed = seconds(ingest.catch_up)
        balance = PostgresInbox(pool).balance()
        assert balance.applied == len(made), balance
        store.close()
        stream.close()
    return elapsed


def _rows(conninfo: str) -> tuple[list[bytes], list[bytes], int]:
    """Return the rows that ingest wrote as binary COPY data, a batch each."""
    with psycopg.connect(conninfo) as connection:
        bronze = _batches(connection, "bronze.messages", _BRONZE, 'received_at, topic, partition, "offset"', BATCH)
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


def _copy(conninfo: str, bronze: list[bytes], log: list[bytes]) -> float:
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


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"ingest.topic_log": run}
