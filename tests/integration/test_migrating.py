"""Commands start while others write: what they make sure of at their start stops nobody, and waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrate import migrate
from application.ports.event_store import Batch, NewEvent

_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY(%s)"
_ROW = "INSERT INTO sources.rows VALUES ('s', 't', 'k', 't', 'k', NULL, NULL, NULL)"
_SCHEMAS = ["bronze", "events", "sources", "processes", "stream", "catalog", "replay", "kpi", "quality", "runs"]


@pytest.fixture
def writer(conninfo: str) -> Iterator[psycopg.Connection]:
    """Somebody who has written into every table, and is not done."""
    with psycopg.connect(conninfo) as writer:
        tables = [name for (name,) in writer.execute(_TABLES, [_SCHEMAS])]
        assert {"bronze.messages", "events.stored_events", "sources.rows", "processes.cases"} <= {*tables}
        for name in tables:
            writer.execute(f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE".encode())
        yield writer


def test_a_start_does_not_wait_for_who_writes_nor_stops_them(conninfo: str, writer: psycopg.Connection) -> None:
    with ThreadPoolExecutor(1) as thread:
        started = thread.submit(migrate, conninfo)
        try:
            assert started.result(20) is None
            assert writer.execute(_ROW).rowcount == 1
        finally:
            writer.rollback()


def test_an_index_that_is_missing_is_created(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for index in ("bronze.messages_message_id_idx", "events.stored_events_notification_id_idx"):
            connection.execute(f"DROP INDEX {index}".encode())
        migrate(conninfo)
        for index in ("bronze.messages_message_id_idx", "events.stored_events_notification_id_idx"):
            assert connection.execute("SELECT to_regclass(%s)", [index]).fetchone() != (None,)


def event(stream_id: str) -> NewEvent:
    return NewEvent(stream_id, 1, "Tested.v1", b"{}")


def test_sequences_that_a_copy_of_the_rows_left_behind_go_on_after_them(
    conninfo: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(PostgresEventStore(conninfo, pool_size=1)) as store:
        store.append(Batch([event("a"), event("b"), event("c"), event("d")]))
        with psycopg.connect(conninfo, autocommit=True) as copied:
            copied.execute("DELETE FROM events.stored_events WHERE originator_id IN ('b', 'c')")
            copied.execute("ALTER SEQUENCE events.stored_events_notification_id_seq RESTART WITH 2")
            copied.execute(
                "INSERT INTO bronze.quarantine OVERRIDING SYSTEM VALUE"
                " SELECT number, 'orders', 0, number, 's', 'c', 'd' FROM generate_series(1, 3) AS number"
            )
            migrate(conninfo)
            set_aside = copied.execute(
                'INSERT INTO bronze.quarantine (topic, partition, "offset", source, code, detail)'
                " VALUES ('orders', 0, 4, 's', 'c', 'd') RETURNING quarantine_id"
            )
            assert set_aside.fetchone() == (4,)
        head = store.head()
        store.append(Batch([event("e"), event("f")]))
        assert [each.stream_id for each in store.read(head, 10)] == ["e", "f"]
        assert "numbers of events.stored_events go on after 4" in caplog.text
        caplog.clear()
        migrate(conninfo)
        assert caplog.text == ""
        store.append(Batch([event("g")]))
        assert [each.position for each in store.read(head, 10)] == [5, 6, 7]
