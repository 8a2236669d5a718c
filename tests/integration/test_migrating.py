"""Commands start while others write: what they make sure of at their start stops nobody, and waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from adapters.postgres.migrate import migrate

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
