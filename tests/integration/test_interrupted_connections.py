"""A connection of the read models takes the next statement, whatever an interruption left on it."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg import Connection

from adapters.postgres.read_model.session import connect, settle


@pytest.fixture
def conn(conninfo: str) -> Iterator[Connection]:
    with closing(connect(conninfo)) as conn:
        yield conn


@pytest.mark.parametrize("within_a_transaction", [False, True])
def test_what_is_under_way_is_cancelled_and_rolled_back(conn: Connection, within_a_transaction: bool) -> None:
    conn.execute("CREATE TABLE kept (number integer)")
    if within_a_transaction:
        conn.execute("BEGIN")
        conn.execute("INSERT INTO kept VALUES (1)")
    conn.pgconn.send_query(b"SELECT pg_sleep(60)")
    began = time.monotonic()
    settle(conn)
    assert next(conn.execute("SELECT count(*) FROM kept")) == (0,)
    assert time.monotonic() - began < 10


def test_a_cancel_that_overtakes_its_statement_is_sent_again(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    cancel = conn.cancel_safe

    def overtaking(*, timeout: float) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            cancel(timeout=timeout)

    monkeypatch.setattr(conn, "cancel_safe", overtaking)
    conn.pgconn.send_query(b"SELECT pg_sleep(20)")
    began = time.monotonic()
    settle(conn)
    assert next(conn.execute("SELECT 1")) == (1,)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("half_done", [b"BEGIN", b"BEGIN; SELECT 1/0"])
def test_a_transaction_that_was_left_open_is_rolled_back(conn: Connection, half_done: bytes) -> None:
    conn.pgconn.exec_(half_done)
    settle(conn)
    assert next(conn.execute("SELECT 1")) == (1,)


def test_one_that_copies_is_closed(conn: Connection) -> None:
    conn.execute("CREATE TABLE kept (number integer)")
    conn.pgconn.send_query(b"COPY kept FROM STDIN")
    while conn.pgconn.is_busy():  # until the server waits for rows: a statement that a cancel overtook is none
        conn.pgconn.consume_input()
    settle(conn)
    assert conn.closed


def test_one_that_is_idle_or_gone_stays_so(conn: Connection) -> None:
    settle(conn)
    assert next(conn.execute("SELECT 1")) == (1,)
    conn.close()
    settle(conn)
    assert conn.closed
