"""Orders that grow at their source end up as if they had been placed so: in gold, in figures, in the checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.server import EmbeddedPostgres
from application.ingest.messages import decode_command
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from application.queries.explain import explain_row
from application.queries.figures import kpi_table
from application.queries.order_kpis import ORDER_KPIS
from tests.foreign_database import foreign_database
from tests.independent_fold import Raw, figures, read_raw
from tests.integration.star import Star, star
from tests.integration.story import Story
from tests.integration.test_orders_database import SELECTS, TABLES, Shop

Tell = Callable[[Shop], None]
SAME = (
    "SELECT order_id, line_no, product_id, status, ordered, open, unit_price, discount, gross, net, freight, "
    "requested_date_key FROM fact_order_line ORDER BY 1, 2",
    "SELECT order_id, customer_id, status, placed_at, lines, ordered, gross, net, freight FROM fact_order ORDER BY 1",
)


def grown(shop: Shop) -> None:
    """Place two orders; then one gets a line, and lines of both more units, in two readings."""
    shop.order(1, (1, "A", 10), (3, "B", 4))
    shop.order(2, (1, "C", 1))
    shop.run()
    shop.owner.execute("INSERT INTO lines VALUES (102, 1, 2, 'C', '6', 2.50, now())")
    shop.change("lines", "id = 101", "qty = '15'")
    assert shop.run()[1] == ["IncreaseOrderLines order-1 1x5", "AddOrderLines order-1 2x6"]
    shop.change("lines", "id IN (101, 102, 201)", "qty = qty::integer + 1")
    assert shop.run()[1] == ["IncreaseOrderLines order-1 1x1 2x1", "IncreaseOrderLines order-2 1x1"]


def whole(shop: Shop) -> None:
    """Place the orders as they are in the end."""
    shop.order(1, (1, "A", 16), (2, "C", 7), (3, "B", 4))
    shop.order(2, (1, "C", 2))
    shop.run()


@contextmanager
def platform(postgres: EmbeddedPostgres, name: str) -> Iterator[str]:
    """Give the connection string of a database with empty read models."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE prepared".encode())
        yield postgres.conninfo(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Told(NamedTuple):
    """A platform's star and log, rows, KPIs, and the kinds of events behind the rows of lines, by name."""

    house: Star
    log: list[Raw]
    rows: list[Any]
    figures: dict[str, Any]
    behind: dict[str, list[str]]


@contextmanager
def told(postgres: EmbeddedPostgres, folder: Path, tell: Tell) -> Iterator[Told]:
    """Give what a platform says that takes in a shop."""
    folder.mkdir()
    with ExitStack() as stack:
        url, owner = stack.enter_context(foreign_database(postgres))
        conninfo = stack.enter_context(platform(postgres, f"orders_{tell.__name__}"))
        pool = stack.enter_context(open_pool(conninfo))
        owner.execute(TABLES.encode())
        shop = Shop(owner, url, pool, folder, [])
        shop.header()
        for name, statement in SELECTS.items():
            shop.select(name, statement.replace("placed AS occurred_at,", "placed AS occurred_at, 12.50 AS freight,"))
        tell(shop)
        story = Story()
        story.tell(*(decode_command(event)[1] for event in shop.published))
        house = stack.enter_context(star(conninfo, story.log, batch_size=3))
        rows = [house.rows(query) for query in SAME]
        analytics, store = (
            PostgresAnalytics(pool),
            stack.enter_context(closing(PostgresEventStore(conninfo, pool_size=1))),
        )
        (measured,) = kpi_table(analytics, [kpi.name for kpi in ORDER_KPIS]).rows
        names = [f"fact_order_line/order-{order}/{line}" for order, line in ((1, 1), (1, 2), (1, 3), (2, 1))]
        explained = {name: explain_row(analytics, store, name)[1] for name in names}
        behind = {name: [type(each.event).__name__ for each in events] for name, events in explained.items()}
        yield Told(house, read_raw(conninfo), rows, dict(measured.figures), behind)


@pytest.mark.usefixtures("_prepared")
def test_an_order_that_grew_is_in_gold_and_in_figures_what_it_would_be_from_the_start(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    with told(postgres, tmp_path / "grown", grown) as later, told(postgres, tmp_path / "whole", whole) as at_once:
        assert (later.rows, later.figures) == (at_once.rows, at_once.figures)
        measured = later.figures
        assert (measured["units"], measured["gross"], measured["order_lines"]) == (29, 29 * 5 / 2, 4)
        independent = figures(later.log)
        known = measured.keys() & independent
        assert {name: measured[name] for name in known} == {name: independent[name] for name in known}
        assert {"units", "gross", "net", "freight", "order_lines"} <= known
        assert later.house.differences() == []
        assert later.house.quality.run(CHECKS).failures(Severity.ERROR) == ()
        # What an order got later has a part in the freight of all of its lines.
        grew = ["OrderPlaced", "OrderLinesIncreased", "OrderLinesAdded", "OrderLinesIncreased"]
        assert later.behind == {
            **{f"fact_order_line/order-1/{line}": grew for line in (1, 2, 3)},
            "fact_order_line/order-2/1": ["OrderPlaced", "OrderLinesIncreased"],
        }
