"""Commands start while others write: what they make sure of at their start stops nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from adapters.postgres.migrate import migrate
from tests.acceptance.home import until

_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    "WHERE d.datname = current_database() AND NOT granted)"
)
_CHANGE = "INSERT INTO sources.changes VALUES ('s', 't', 'k', 't', 'k', NULL, NULL, NULL, now())"
_ROW = "INSERT INTO sources.rows VALUES ('s', 't', 'k', 't', 'k', NULL, NULL, NULL)"


def test_a_start_and_a_writer_of_several_tables_dont_wait_for_each_other(conninfo: str) -> None:
    with (
        psycopg.connect(conninfo) as writer,
        psycopg.connect(conninfo, autocommit=True) as watch,
        ThreadPoolExecutor(1) as thread,
    ):
        writer.execute(_CHANGE)
        started = thread.submit(migrate, conninfo)
        until(lambda: watch.execute(_WAITS).fetchone() == (True,), "the start does not get to the table", 20)
        writer.execute(_ROW)
        writer.commit()
        started.result(20)
