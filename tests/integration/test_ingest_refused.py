"""A database that takes no events, whatever the messages are: that is no message's fault, so none is put aside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres import locks
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.aggregates import TOPICS
from application.ingest.messages import encode_command
from application.ingest.service import Ingest
from application.ports.event_store import StoreRefusedError, StoreUnavailableError
from application.ports.inbox import Balance
from domain.inventory.commands import ReceiveStock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def owner(conninfo: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, autocommit=True) as owner:
        yield owner


@pytest.fixture
def role(owner: psycopg.Connection) -> Iterator[str]:
    """A role that may read everything and keep messages, but no events."""
    name = f"limited_{uuid4().hex[:12]}"
    role = sql.Identifier(name)
    owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    for right in (
        "USAGE ON SCHEMA bronze, events",
        "ALL ON ALL TABLES IN SCHEMA bronze",
        "ALL ON ALL SEQUENCES IN SCHEMA bronze",
        "SELECT ON ALL TABLES IN SCHEMA events",
    ):
        owner.execute(sql.SQL(f"GRANT {right} TO {{}}").format(role))  # type: ignore[arg-type]
    yield name
    owner.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


@pytest.fixture
def stream() -> MemoryMessageStream:
    stream = MemoryMessageStream(TOPICS)
    commands = [ReceiveStock(product_id=f"p{n}", location_id="main", occurred_at=NOW, quantity=1) for n in range(10)]
    stream.publish([encode_command(each, message_id=each.product_id, source="test") for each in commands])
    return stream


def taken_in(conninfo: str, stream: MemoryMessageStream) -> Balance:
    with open_pool(conninfo) as pool, closing(PostgresEventStore(conninfo)) as store:
        return Ingest(store, PostgresInbox(pool), stream, lambda: NOW).catch_up()


def test_a_right_that_is_missing_puts_nothing_into_quarantine(
    conninfo: str, owner: psycopg.Connection, role: str, stream: MemoryMessageStream
) -> None:
    with pytest.raises(StoreRefusedError, match="permission denied for table stored_events: the role needs"):
        taken_in(make_conninfo(conninfo, user=role), stream)
    assert owner.execute("SELECT count(*) FROM bronze.messages").fetchone() == (0,)
    assert taken_in(conninfo, stream) == Balance(10, 10, 0, 0)


@pytest.mark.parametrize("table", ["bronze.messages", "events.stored_events"])
@pytest.mark.parametrize("code", ["XX000", "XX001", "XX002"])
def test_a_database_that_is_damaged_puts_nothing_into_quarantine(
    conninfo: str, owner: psycopg.Connection, stream: MemoryMessageStream, table: str, code: str
) -> None:
    raising = f"BEGIN RAISE EXCEPTION 'could not read block 7' USING ERRCODE = '{code}'; END"
    owner.execute(f"CREATE FUNCTION public.damaged() RETURNS trigger LANGUAGE plpgsql AS $${raising}$$".encode())
    trigger = f"CREATE TRIGGER damaged BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.damaged()"
    owner.execute(trigger.encode())
    with pytest.raises(StoreRefusedError, match=f"could not read block 7.*{code}"):
        taken_in(conninfo, stream)
    assert owner.execute("SELECT count(*) FROM bronze.messages").fetchone() == (0,)
    owner.execute(f"DROP TRIGGER damaged ON {table}".encode())
    assert taken_in(conninfo, stream) == Balance(10, 10, 0, 0)


def test_a_table_of_another_version_puts_nothing_into_quarantine(
    conninfo: str, owner: psycopg.Connection, stream: MemoryMessageStream
) -> None:
    owner.execute("ALTER TABLE bronze.messages RENAME COLUMN received_at TO taken_at")
    with pytest.raises(StoreRefusedError, match=r'"received_at".*: another version of the platform'):
        taken_in(conninfo, stream)
    owner.execute("ALTER TABLE bronze.messages RENAME COLUMN taken_at TO received_at")
    assert taken_in(conninfo, stream) == Balance(10, 10, 0, 0)


def test_a_limit_of_transactions_puts_nothing_into_quarantine(
    conninfo: str, owner: psycopg.Connection, stream: MemoryMessageStream
) -> None:
    limited = sql.SQL("ALTER DATABASE {} SET transaction_timeout = {}")
    name = sql.Identifier(owner.info.dbname)
    with psycopg.connect(conninfo) as writer:
        owner.execute(limited.format(name, sql.Literal("300ms")))
        writer.execute("SELECT pg_advisory_xact_lock(%s)", [locks.APPEND])
        with pytest.raises(StoreUnavailableError, match="transaction timeout"):
            taken_in(conninfo, stream)
    assert owner.execute("SELECT count(*) FROM bronze.messages").fetchone() == (0,)
    owner.execute(limited.format(name, sql.Literal("0")))
    assert taken_in(conninfo, stream) == Balance(10, 10, 0, 0)


def test_a_question_that_takes_longer_than_a_limit_of_transactions_may_be_asked_again(
    conninfo: str, owner: psycopg.Connection
) -> None:
    with psycopg.connect(conninfo) as other:
        other.execute("LOCK TABLE bronze.positions")
        limited = sql.SQL("ALTER DATABASE {} SET transaction_timeout = '300ms'")
        owner.execute(limited.format(sql.Identifier(owner.info.dbname)))
        with open_pool(conninfo) as pool, pytest.raises(StoreUnavailableError, match="transaction timeout"):
            PostgresInbox(pool).positions()
