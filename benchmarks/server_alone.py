"""What the server alone takes for what no rebuild can leave out, without a row that passes through Python.

The log is read in the order of streams and thrown away; the rows of gold are copied from table to table, with the same
keys, checks, indexes and foreign keys; all rows of both are hashed, as the certificate does. There is no silver, no
fold, no join that selects gold, no statistics and no swap: a rebuild that makes this star can't be faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from queue import SimpleQueue

import psycopg
from psycopg import Connection, sql

from adapters.postgres.read_model.certify import summarise
from benchmarks.measure import seconds

_GOLD, _COPY = "gold", "gold_copy"
_MIDDLE = "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY originator_id) FROM events.stored_events"
_READ = (
    "COPY (SELECT originator_id, originator_version, topic, state FROM events.stored_events WHERE originator_id {} {}"
    " ORDER BY originator_id, originator_version) TO STDOUT (FORMAT BINARY)"
)
_TABLES = (
    "SELECT oid, relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
    " ORDER BY pg_relation_size(oid) DESC"
)
_CONSTRAINTS = (
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s AND contype = ANY(%s) ORDER BY contype"
)
_NOT_VALID = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND NOT convalidated"
_INDEXES = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s AND NOT indisprimary"
_OWN_PROCESS = (
    "SET synchronous_commit = off; SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0"
)
Work = Callable[[Connection], object]


def seconds_of_parts(conninfo: str, connections: int) -> dict[str, float]:
    """Return how long each part takes, over so many connections at once; the copy is dropped."""
    with ExitStack() as stack:
        connected = [stack.enter_context(psycopg.connect(conninfo, autocommit=True)) for _ in range(connections)]
        for connection in connected:
            connection.execute(_OWN_PROCESS)
        one = connected[0]
        middle = one.execute(_MIDDLE).fetchone()
        assert middle is not None
        tables = one.execute(_TABLES, [_GOLD]).fetchall()
        one.execute(f"CREATE SCHEMA {_COPY}".encode())

        def taken(*works: Work) -> float:
            return seconds(partial(_at_once, connected, works))

        parts = {
            "read": taken(*(partial(_read, compare, middle[0]) for compare in ("<", ">="))),
            "gold": taken(*(partial(_copy, *table) for table in tables)),
        }
        for oid, name in tables:  # one after the other: each locks two tables
            _refer(oid, name, one)
        parts["foreign keys"] = taken(*(partial(_validate, name) for _, name in tables))
        parts["hashes"] = taken(*(partial(summarise, schema=schema) for schema in (_GOLD, _COPY)))
        copied, given = (_rows(one, schema) for schema in (_COPY, _GOLD))
        assert copied == given, (copied, given)
        one.execute(f"DROP SCHEMA {_COPY} CASCADE".encode())
    return parts


def _at_once(connected: list[Connection], works: Iterable[Work]) -> None:
    """Do the works in their order, each on a connection that has nothing to do."""
    idle: SimpleQueue[Connection] = SimpleQueue()
    for connection in connected:
        idle.put(connection)

    def run(work: Work) -> None:
        connection = idle.get()
        try:
            work(connection)
        finally:
            idle.put(connection)

    with ThreadPoolExecutor(len(connected)) as threads:
        list(threads.map(run, works))


def _read(compare: str, middle: str, connection: Connection) -> None:
    connection.execute("SET enable_sort = off")  # the index has that order already
    query = sql.SQL(_READ).format(sql.SQL(compare), sql.Literal(middle))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for _ in copy:
            pass


def _copy(oid: int, name: str, connection: Connection) -> None:
    table = f'{_COPY}."{name}"'
    connection.execute(f'CREATE TABLE {table} AS SELECT * FROM {_GOLD}."{name}"'.encode())
    _add_constraints(connection, oid, table, "pnc", "")
    for (index,) in connection.execute(_INDEXES, [oid]).fetchall():
        connection.execute(_of_copy(index).encode())


def _refer(oid: int, name: str, connection: Connection) -> None:
    _add_constraints(connection, oid, f'{_COPY}."{name}"', "f", " NOT VALID")


def _validate(name: str, connection: Connection) -> None:
    table = f'{_COPY}."{name}"'
    steps = [f'VALIDATE CONSTRAINT "{each}"' for (each,) in connection.execute(_NOT_VALID, [table]).fetchall()]
    if steps:
        connection.execute(f"ALTER TABLE {table} {', '.join(steps)}".encode())


def _add_constraints(connection: Connection, oid: int, table: str, kinds: str, further: str) -> None:
    rows = connection.execute(_CONSTRAINTS, [oid, list(kinds)])
    found = [f"ADD {_of_copy(each)}{further}" for (each,) in rows]
    if found:
        connection.execute(f"ALTER TABLE {table} {', '.join(found)}".encode())


def _of_copy(definition: str) -> str:
    return definition.replace(f"{_GOLD}.", f"{_COPY}.")


def _rows(connection: Connection, schema: str) -> dict[str, int | None]:
    return {name: summary.rows for name, summary in summarise(connection, schema).items()}
