"""How long a KPI takes over a million order lines, with any one filter.

The lines are not all simulated: some weeks are, through the whole platform, and their facts are copied to later days
under ids of their own. What is asked for is the most frequent member of each dimension, the worst case.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.database import open_pool
from application.ports.analytics import Period
from application.queries.definitions import Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.figures import kpi_table
from application.queries.kpis import KPIS
from benchmarks.measure import Result, median, server

LINES = 1_000_000
ORDERS, DAYS = 8_000, 20
"""Orders that are simulated, and the days they take; the other lines are copies on later days."""
ROUNDS = 3
TARGET = 150.0
FILTERS = ("year", "carrier", "supplier", "product", "customer", "location", "category", "country")
DATAFLOW = Path(sys.executable).parent / "dataflow"
FACTS = ("fact_order", "fact_order_line", "fact_shipment", "fact_stock_movement", "fact_stock_daily")
COPIED_IDS = {"order_id": "order_id || '-' || n", "shipment_id": "shipment_id || '-' || n"}


class Question(NamedTuple):
    """A KPI with one filter (none: empty), the milliseconds that it takes, and whether its fact knows the filter."""

    kpi: str
    filter: str
    took: float
    direct: bool


def query() -> list[Result]:
    """Ask for every KPI with each filter on the most frequent member, with a period, and without a filter."""
    with server() as fresh, tempfile.TemporaryDirectory(prefix="dataflow-bench-") as folder:
        conninfo = fresh()
        lines = fill(conninfo, folder, date(2024, 1, 1))
        with open_pool(conninfo, size=1) as pool:
            analytics = PostgresAnalytics(pool)
            largest = _largest_members(conninfo)
            asked = sorted((_ask(analytics, *each) for each in _questions(largest)), key=lambda each: -each.took)
    filtered = [each for each in asked if each.filter]
    direct = [each for each in filtered if each.direct]
    detail: dict[str, object] = {
        "lines": lines,
        "questions": len(filtered),
        "median": round(median([each.took for each in filtered]), 1),
        "above_target": sum(each.took > TARGET for each in filtered),
        "above_target_where_the_fact_knows_the_filter": sum(each.took > TARGET for each in direct),
        "slowest": [[each.kpi, each.filter, round(each.took)] for each in filtered[:20]],
        "slowest_where_the_fact_knows_the_filter": [[each.kpi, each.filter, round(each.took)] for each in direct[:10]],
        "slowest_without_filter": [[each.kpi, round(each.took)] for each in asked if not each.filter][:10],
    }
    slowest = filtered[0].took
    return [Result("kpi.query", round(slowest), "ms (slowest)", "the target of 150 ms", slowest / TARGET, detail)]


def fill(conninfo: str, folder: str, start: date) -> int:
    """Simulate some weeks, let the platform take them in, copy their facts to later days; return the order lines."""
    environment = os.environ | {"DATAFLOW_HOME": folder, "DATAFLOW_DATABASE_URL": url_of(conninfo)}
    simulated = ("generate", "--orders", str(ORDERS), "--days", str(DAYS), "--seed", "1", "--start", f"{start}")
    for command in (simulated, ("consume", "--once"), ("project", "--once")):
        subprocess.run([DATAFLOW, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
    with psycopg.connect(conninfo, autocommit=True, options="-c search_path=gold") as connection:
        own = _row(connection, "SELECT count(*) FROM fact_order_line")[0]
        copies = -(-LINES // own) - 1
        for fact in FACTS:
            _copy(connection, fact, copies)
            connection.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(sql.Identifier(fact)))
        # What was filled is written now, not beside what is measured.
        connection.execute("CHECKPOINT")
        return int(_row(connection, "SELECT count(*) FROM fact_order_line")[0])


def url_of(conninfo: str) -> str:
    """Return a connection string as an address."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    return f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


def _copy(connection: psycopg.Connection, fact: str, copies: int) -> None:
    """Insert copies of a fact's rows: the n-th on days n times later, under names of its own."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE (table_schema, table_name) = ('gold', %s) ORDER BY ordinal_position",
        [fact],
    ).fetchall()
    values = ", ".join(_later(fact, name, kind) for name, kind in columns)
    connection.execute(f"ALTER TABLE {fact} DISABLE TRIGGER ALL".encode())
    indexes = connection.execute(
        "SELECT c.oid::regclass::text, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = %s::regclass AND NOT i.indisprimary",
        [fact],
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    connection.execute(
        f"INSERT INTO {fact} SELECT {values} FROM {fact} f CROSS JOIN generate_series(1, {copies}) n "
        "ORDER BY n".encode()
    )
    for _, definition in indexes:
        connection.execute(definition.encode())


def _later(fact: str, name: str, kind: str) -> str:
    if kind == "timestamp with time zone":
        return f"{name} + n * interval '{DAYS} days'"
    if name.endswith("date_key"):
        return f"to_char(to_date({name}::text, 'YYYYMMDD') + n * {DAYS}, 'YYYYMMDD')::integer"
    if name == "stream_id" and "stock" not in fact:
        return "stream_id || '-' || n"
    if name == "version" and fact == "fact_stock_movement":
        return "version + n * 1000000"
    return COPIED_IDS.get(name, name)


def _largest_members(conninfo: str) -> dict[str, dict[str, str]]:
    """Return the most frequent member of each dimension, by the facts that know it."""
    largest: dict[str, dict[str, str]] = {}
    with psycopg.connect(conninfo, options="-c search_path=gold") as connection:
        for dimension in DIMENSIONS.values():
            for fact, source in dimension.sources.items():
                if source.through is None:
                    grouped = f"SELECT {source.key} FROM {fact} f {' '.join(source.joins)} GROUP BY 1"
                    row = _row(connection, f"{grouped} HAVING {source.key} IS NOT NULL ORDER BY count(*) DESC LIMIT 1")
                    largest.setdefault(dimension.name, {})[fact] = row[0]
    return largest


def _questions(largest: dict[str, dict[str, str]]) -> Iterator[tuple[Kpi, str, str | Period | None]]:
    for kpi in KPIS.values():
        yield kpi, "", None
        yield kpi, "90 days", Period(date(2024, 7, 1), date(2024, 7, 1) + timedelta(days=89))
        for name in FILTERS:
            source = DIMENSIONS[name].sources.get(kpi.fact.name)
            if source is not None:
                known = largest[name]
                yield kpi, name, known[(source.through.fact if source.through else kpi.fact).name]


def _ask(analytics: PostgresAnalytics, kpi: Kpi, name: str, chosen: str | Period | None) -> Question:
    def ask() -> None:
        if isinstance(chosen, Period):
            kpi_table(analytics, [kpi.name], period=chosen)
        else:
            kpi_table(analytics, [kpi.name], members={name: [chosen]} if chosen else None)

    ask()
    source = DIMENSIONS[name].sources[kpi.fact.name] if name in DIMENSIONS else None
    took = median([_milliseconds(ask) for _ in range(ROUNDS)])
    return Question(kpi.name, name, took, source is None or source.through is None)


def _milliseconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def _row(connection: psycopg.Connection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"kpi.query": query}
