"""Gold over silver on a real PostgreSQL: a small story, its rows and figures worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import ConnectionPool

import adapters.postgres
from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.database import open_pool, with_parameter
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.certify import certify
from adapters.postgres.read_model.gold_definitions import GoldDefinition, read_definitions
from adapters.postgres.read_model.gold_refresh import selecting_again
from adapters.postgres.read_model.row_hash import hashed_columns
from adapters.postgres.read_model.schemas import LIVE, Schemas
from adapters.postgres.selecting import find_keys, measure
from adapters.postgres.server import EmbeddedPostgres
from application.codec import Recorded
from application.ports.analytics import AnalyticsUnavailableError, Filter, Period, Selection
from application.projections.catalog import surrogate_key
from application.projections.registry import SUBJECTS
from application.queries.currencies import UNSTATED, Currencies, addends, currencies
from application.queries.definitions import Dimension, Kpi, Source
from application.queries.dimensions import DIMENSIONS
from application.queries.explain import explain_figure
from application.queries.figures import evidence, kpi_table, kpis_for, selection
from application.queries.kpis import KPIS
from application.queries.periods import previous
from application.queries.policies import Policy, Rule
from application.replay.certificate import Certificate
from application.replay.folding import fold_stream, group_streams, subject_finder
from tests.integration.star import star
from tests.integration.story import (
    at,
    on,
    tell_everything,
    tell_of_a_late_order,
    tell_of_two_currencies,
    tell_of_two_suppliers,
)

GOLD = Path(adapters.postgres.__file__).parent / "gold"
LOG = tell_everything()
DATABASE = "gold_story"
TEA = surrogate_key("product-tea", at("01-01"), 1)


def a_build() -> Build:
    return Build(SUBJECTS, read_definitions(GOLD, {subject.name for subject in SUBJECTS}))


def build_whole(connection: psycopg.Connection, schemas: Schemas, log: list[Recorded]) -> None:
    build = a_build()
    build.create_silver(connection, schemas)
    for subject, streams in group_streams(log, subject_finder(SUBJECTS)).items():
        for stream in streams.values():
            for name, rows in subject.rows(fold_stream(subject, None, stream)).items():
                build.silver[name].copy(connection, schemas.silver, rows)
    build.finish(connection, schemas)


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database whose live schemas hold the whole story."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE migrated")
    conninfo = postgres.conninfo(DATABASE)
    with psycopg.connect(conninfo) as connection:
        build_whole(connection, LIVE, LOG)
    yield conninfo
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def pool(database: str) -> Iterator[ConnectionPool]:
    with open_pool(database, size=2) as pool:
        yield pool


@pytest.fixture
def analytics(pool: ConnectionPool) -> PostgresAnalytics:
    return PostgresAnalytics(pool)


def select(pool: ConnectionPool, statement: str) -> list[tuple[Any, ...]]:
    with pool.connection() as connection:
        connection.execute("SET LOCAL search_path = gold")
        return connection.execute(statement).fetchall()


def positions_of(stream_id: str) -> list[int]:
    return [recorded.position for recorded in LOG if recorded.stream_id == stream_id]


def figures(analytics: PostgresAnalytics, *names: str, **options: Any) -> dict[str, Any]:
    (row,) = kpi_table(analytics, names, **options).rows
    return row.figures


def by(analytics: PostgresAnalytics, dimension: str, *names: str, **options: Any) -> dict[Any, list[Any]]:
    table = kpi_table(analytics, names, by=dimension, **options)
    return {row.member.key: [row.figures[name] for name in names] for row in table.rows}


def test_every_reference_is_a_foreign_key_that_holds_for_all_rows(pool: ConnectionPool) -> None:
    keys = select(
        pool,
        "SELECT conrelid::regclass::text, convalidated, condeferrable FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'gold'::regnamespace",
    )
    references = [
        definition.name for definition in a_build().gold if definition.materialized for _ in definition.references
    ]
    assert sorted(keys) == sorted((name, True, True) for name in references)


def test_the_first_events_bring_the_foreign_keys_and_those_that_follow_are_checked(database: str) -> None:
    build, schemas = a_build(), Schemas("silver_first", "gold_first")
    count = (
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"
        " AND connamespace = 'gold_first'::regnamespace"
    )
    with psycopg.connect(database) as connection:
        build.create_empty(connection, schemas)
        assert connection.execute(count).fetchone() == (0,)
        build.apply(connection, schemas, LOG[:5])
        references = sum(len(definition.references) for definition in build.gold if definition.materialized)
        assert connection.execute(count).fetchone() == (references,)
        build.apply(connection, schemas, LOG[5:])
        assert connection.execute(count).fetchone() == (references,)
        connection.execute("DELETE FROM gold_first.dim_product WHERE is_current")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.rollback()


def test_every_column_of_the_star_has_a_hash_of_its_own(pool: ConnectionPool) -> None:
    with pool.connection() as connection:
        named = connection.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('silver', 'gold')")
        columns = [(table, each) for table in named.fetchall() for each in hashed_columns(connection, table)]
    assert columns
    assert [(table, each.name) for table, each in columns if each.function is None] == []


def test_a_row_that_refers_to_none_is_found(database: str) -> None:
    build, schemas = a_build(), Schemas("silver_loose", "gold_loose")
    with psycopg.connect(database) as connection:
        build.create_silver(connection, schemas)
        *made, check = build.stages(schemas)
        for stage in made:
            for step in stage.steps:
                step.run(connection)
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("INSERT INTO gold_loose.fact_order_line SELECT * FROM gold.fact_order_line LIMIT 1")
        of_order_lines = max(check.steps, key=lambda step: step.times)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            of_order_lines.run(connection)


def certified(database: str, log: list[Recorded], batch: int) -> Certificate:
    """Compare tables that follow a log, some events at a time, with those built from it as a whole."""
    live, rebuilt = Schemas("silver_live", "gold_live"), Schemas("silver_whole", "gold_whole")
    build = a_build()
    with psycopg.connect(database) as connection:
        build.create_empty(connection, live)
        for start in range(0, len(log), batch):
            build.apply(connection, live, log[start : start + batch])
        build_whole(connection, rebuilt, log)
        certificate = certify(connection, live, rebuilt, build.keys, log[-1].position)
        connection.rollback()
    return certificate


@pytest.mark.parametrize("batch", [1, 4, 13])
def test_tables_refreshed_live_equal_those_built_whole(database: str, batch: int) -> None:
    certificate = certified(database, LOG, batch)
    assert [table for table in certificate.tables if not table.equal] == []
    tables = {definition.name for definition in a_build().gold if definition.materialized}
    assert {table.table.split(".")[1] for table in certificate.tables} >= tables


@pytest.mark.parametrize("events", [4, 5, 6])
def test_orders_and_shipments_follow_lines_that_come_late_and_products_that_are_revised(
    database: str, events: int
) -> None:
    certificate = certified(database, tell_of_a_late_order()[:events], 1)
    assert [table for table in certificate.tables if not table.equal] == []


def test_a_shipment_that_comes_before_its_order_has_the_products_that_it_carries(prepared: str) -> None:
    with star(prepared, tell_of_a_late_order()[:3]) as house:
        assert house.rows("SELECT shipment_id, product_keys FROM fact_shipment ORDER BY 1") == [
            ("s1", [TEA]),
            ("s2", [TEA]),
        ]


def test_the_calendar_knows_iso_weeks_and_leap_days(pool: ConnectionPool) -> None:
    assert select(pool, "SELECT count(*), min(date_key), max(date_key) FROM dim_date") == [(36_525, 19700101, 20691231)]
    columns = "date, year, year_quarter, year_month, month_name, iso_year, year_week, weekday_name, is_weekend"
    assert select(pool, f"SELECT {columns} FROM dim_date WHERE date_key IN (20210103, 20240229) ORDER BY 1") == [
        (date(2021, 1, 3), 2021, "2021-Q1", "2021-01", "January", 2020, "2020-W53", "Sunday", True),
        (date(2024, 2, 29), 2024, "2024-Q1", "2024-02", "February", 2024, "2024-W09", "Thursday", False),
    ]


def test_every_day_of_the_calendar_is_what_python_says_of_it(pool: ConnectionPool) -> None:
    columns = "date_key, year, quarter, month, iso_year, iso_week, weekday, day_of_month, day_of_year, is_weekend"
    days = [date(1970, 1, 1) + timedelta(days=number) for number in range(36_525)]
    assert select(pool, f"SELECT {columns} FROM dim_date ORDER BY date") == [
        (
            int(f"{day:%Y%m%d}"),
            day.year,
            (day.month + 2) // 3,
            day.month,
            *day.isocalendar(),
            day.day,
            day.timetuple().tm_yday,
            day.isoweekday() in {6, 7},
        )
        for day in days
    ]


def test_every_minute_has_its_hour_and_its_part_of_the_day(pool: ConnectionPool) -> None:
    parts = ["night"] * 6 + ["morning"] * 6 + ["afternoon"] * 6 + ["evening"] * 6
    columns = "time_key, time, hour, minute, hour_span, day_part"
    assert select(pool, f"SELECT {columns} FROM dim_time ORDER BY time_key") == [
        (60 * hour + minute, f"{hour:02}:{minute:02}", hour, minute, f"{hour:02}:00-{hour:02}:59", parts[hour])
        for hour in range(24)
        for minute in range(60)
    ]


def test_the_fiscal_year_begins_in_the_month_that_is_set(conninfo: str) -> None:
    columns = "fiscal_year, fiscal_quarter, fiscal_month"
    days = "20240331, 20240401, 20241231, 20250101"
    query = f"SELECT {columns} FROM gold.dim_date WHERE date_key IN ({days}) ORDER BY date_key".encode()
    found = {}
    for start in ("1", "2", "4"):
        schemas = Schemas(f"silver_{start}", f"gold_{start}")
        with psycopg.connect(with_parameter(conninfo, "dataflow.fiscal_year_start", start)) as connection:
            build_whole(connection, schemas, LOG[:1])
            found[start] = connection.execute(query.replace(b"gold.", f"gold_{start}.".encode())).fetchall()
            connection.rollback()
    assert found == {
        "1": [(2024, 1, 3), (2024, 2, 4), (2024, 4, 12), (2025, 1, 1)],
        "2": [(2025, 1, 2), (2025, 1, 3), (2025, 4, 11), (2025, 4, 12)],
        "4": [(2024, 4, 12), (2025, 1, 1), (2025, 3, 9), (2025, 4, 10)],
    }


def test_a_quarantined_message_says_when_it_came_and_how_long_it_was_open(prepared: str) -> None:
    with psycopg.connect(prepared) as connection:
        connection.execute(
            'INSERT INTO bronze.messages (topic, partition, "offset", message_id, stream_id, outcome, received_at, '
            "payload) SELECT topic, 1, 5, topic || ' 5', topic || '-5', 'quarantined', "
            "'2024-03-01T00:30+02:00'::timestamptz, '' FROM unnest(ARRAY['orders', 'stock']) AS topic"
        )
        connection.execute(
            'INSERT INTO bronze.quarantine (topic, partition, "offset", source, code, detail, status, actor, '
            "settled_at) VALUES ('orders', 1, 5, 'shop', 'Unknown', 'no', 'discarded', 'ann', '2024-03-01T00:00:30Z'), "
            "('stock', 1, 5, 'shop', 'Unknown', 'no', 'open', NULL, NULL)"
        )
        columns = "topic, message_id, stream_id, received_date_key, received_time_key, settled_date_key, minutes_open"
        rows = connection.execute(f"SELECT {columns} FROM gold.fact_quarantine ORDER BY topic".encode()).fetchall()
    assert rows == [
        ("orders", "orders 5", "orders-5", 20240229, 1350, 20240301, 90.5),
        ("stock", "stock 5", "stock-5", 20240229, 1350, None, None),
    ]


def test_every_table_and_column_has_a_comment(pool: ConnectionPool) -> None:
    statement = (
        "SELECT c.oid::regclass::text, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace IN ('silver'::regnamespace, 'gold'::regnamespace) AND c.relkind IN ('r', 'v') "
        "AND a.attnum >= 0 AND NOT a.attisdropped AND c.relname NOT LIKE '%\\_source' "
        "AND coalesce(col_description(c.oid, a.attnum), '') = ''"
    )
    assert select(pool, statement) == []
    assert select(pool, statement.replace("col_description(c.oid, a.attnum)", "obj_description(c.oid)")) == []


def test_keys_of_facts_are_enforced_at_commit(database: str) -> None:
    broken = "UPDATE gold.fact_order_line SET product_key = 7 WHERE order_id = 'o1'"
    with psycopg.connect(database) as connection:
        connection.execute(broken)
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="dim_product"):
            connection.commit()


def test_a_dimension_has_a_row_for_each_version_and_one_for_the_unknown(pool: ConnectionPool) -> None:
    columns = "product_id, name, category, valid_from, valid_to, is_current"
    beginning = datetime(1900, 1, 1, tzinfo=UTC)
    assert select(pool, f"SELECT {columns} FROM dim_product ORDER BY product_id, version") == [
        ("", "unknown", None, beginning, None, True),
        ("nut", "Nut", "Snacks", beginning, None, True),
        ("tea", "Tea", "Beverages", beginning, at("02-01T00:00"), False),
        ("tea", "Green Tea", "Drinks", at("02-01T00:00"), None, True),
    ]
    for kind in ("product", "supplier", "customer", "carrier", "location"):
        assert select(pool, f"SELECT name FROM dim_{kind} WHERE {kind}_key = 0") == [("unknown",)]


def test_a_fact_points_to_the_versions_valid_at_its_time(pool: ConnectionPool) -> None:
    before = surrogate_key("product-tea", at("01-01"), 1)
    after = surrogate_key("product-tea", at("02-01T00:00"), 2)
    statement = "SELECT order_id, product_key FROM fact_order_line WHERE product_id = 'tea' ORDER BY 1"
    assert select(pool, statement) == [("o1", before), ("o2", after), ("o4", after)]
    statement = "SELECT moved_date_key, product_key FROM fact_stock_movement WHERE product_id = 'tea' ORDER BY 1"
    assert select(pool, statement) == [(day, before) for day in (20240105, 20240108, 20240115)]


def test_facts_before_the_registration_join_its_first_version(pool: ConnectionPool) -> None:
    nut = surrogate_key("product-nut", at("03-01"), 1)
    dhl = surrogate_key("carrier-dhl", at("02-20"), 1)
    assert select(pool, "SELECT DISTINCT product_key FROM fact_order_line WHERE product_id = 'nut'") == [(nut,)]
    assert select(pool, "SELECT DISTINCT carrier_key FROM fact_shipment") == [(dhl,)]


def test_a_customer_that_was_never_registered_is_an_inferred_member(pool: ConnectionPool) -> None:
    key = surrogate_key("customer-c2", at("01-01"), 1)
    statement = "SELECT customer_id, customer_key FROM fact_order_line WHERE order_id = 'o3'"
    assert select(pool, statement) == [("c2", key)]
    statement = f"SELECT name, version, inferred, is_current FROM dim_customer WHERE customer_key = {key}"
    assert select(pool, statement) == [("c2", 0, True, True)]
    assert select(pool, "SELECT customer_id FROM dim_customer WHERE inferred") == [("c2",)]


def test_an_order_line_row_says_all_about_the_line(pool: ConnectionPool) -> None:
    columns = (
        "line_no, carrier_id, shipping_carrier_id, shipment_id, status, placed_date_key, requested_date_key, "
        "first_shipped_date_key, delivered_date_key, cancelled_date_key, ordered, shipped, net, freight, "
        "first_position, last_position"
    )
    placed, _, _, delivered, delivered_last = positions_of("order-o1")
    start = ("delivered", 20240110, 20240120)
    assert select(pool, f"SELECT {columns} FROM fact_order_line WHERE order_id = 'o1' ORDER BY 1") == [
        (1, "ups", "dhl", "s1", *start, 20240115, 20240118, None, 10, 10, 90, 9, placed, delivered),
        (2, "ups", "dhl", "s1", *start, 20240121, 20240125, None, 5, 5, 20, 2, placed, delivered_last),
    ]


def test_daily_stock_has_a_row_for_every_day_and_counts_movements_on_their_day(pool: ConnectionPool) -> None:
    assert select(
        pool,
        "SELECT product_id, on_hand, available, count(*), min(date_key), max(date_key) FROM fact_stock_daily "
        "GROUP BY 1, 2, 3 ORDER BY 1 DESC, 5",
    ) == [
        ("tea", 30, 30, 3, 20240105, 20240107),
        ("tea", 28, 28, 7, 20240108, 20240114),
        ("tea", 18, 18, 19, 20240115, 20240202),
        ("nut", 8, 8, 10, 20240107, 20240116),
        ("nut", 8, 5, 16, 20240117, 20240201),
        ("nut", 7, 4, 1, 20240202, 20240202),
    ]


def test_daily_stock_is_valued_at_cost_or_else_at_list_price_of_that_day(pool: ConnectionPool) -> None:
    assert select(
        pool,
        "SELECT product_id, date_key, unit_value, stock_value, reorder_point FROM fact_stock_daily "
        "WHERE date_key IN (20240131, 20240201) ORDER BY 1 DESC, 2",
    ) == [
        ("tea", 20240131, 6, 108, 18),
        ("tea", 20240201, 12, 216, 18),
        ("nut", 20240131, 4, 32, None),
        ("nut", 20240201, 4, 32, None),
    ]


def test_a_stocks_daily_rows_name_the_events_of_the_last_day_on_which_it_moved(pool: ConnectionPool) -> None:
    _, received, shipped, adjusted, _ = positions_of("inventory-tea@hamburg")
    statement = (
        "SELECT min(date_key), max(date_key), first_position, last_position FROM fact_stock_daily "
        "WHERE product_id = 'tea' GROUP BY 3, 4 ORDER BY 1"
    )
    assert select(pool, statement) == [
        (20240105, 20240107, received, received),
        (20240108, 20240114, adjusted, adjusted),
        (20240115, 20240202, shipped, shipped),
    ]


def test_order_figures_are_those_worked_out_by_hand(analytics: PostgresAnalytics) -> None:
    expected = {
        "orders": 4,
        "order_lines": 5,
        "gross": Decimal(192),
        "net": Decimal(182),
        "freight": Decimal(11),
        "average_order_value": Decimal("45.5"),
        "units": 23,
        "orders_shipped": 2,
        "orders_late": 1,
        "on_time_rate": Decimal("0.5"),
        "orders_late_to_promise": 1,
        "in_full_rate": Decimal(1),
        "otif_rate": Decimal("0.5"),
        "otif_order_rate": Decimal("0.5"),
        "otif_line_rate": Decimal("0.666667"),
        "perfect_order_rate": Decimal(0),
        "on_time_original_rate": Decimal(0),
        "on_time_revised_rate": Decimal(0),
        "fill_rate": Decimal("0.863636"),
        "line_fill_rate": Decimal("0.75"),
        "order_fill_rate": Decimal("0.666667"),
        "backorder_rate": Decimal("0.2"),
        "cancellation_rate": Decimal("0.043478"),
        "freight_share": Decimal("0.06044"),
        "time_to_ship_days": Decimal(6),
        "order_cycle_time_days": Decimal("9.5"),
        "order_cycle_time_p50_days": Decimal("9.5"),
        "order_cycle_time_p95_days": Decimal("14.45"),
        "units_shipped": 19,
        "units_delivered": 19,
        "units_backordered": 2,
        "units_cancelled": 1,
        "units_returned": 1,
        "return_rate": Decimal("0.052632"),
    }
    assert figures(analytics, *expected) == expected


def test_shipment_figures_are_those_worked_out_by_hand(analytics: PostgresAnalytics) -> None:
    expected = {
        "shipments": 2,
        "shipments_dispatched": 2,
        "shipments_delivered": 2,
        "shipments_late": 1,
        "delivery_on_time_rate": Decimal("0.5"),
        "delivery_delay_p50_hours": Decimal(0),
        "delivery_delay_p95_hours": Decimal("21.6"),
        "transit_days": Decimal("2.5"),
        "shipment_exceptions": 1,
        "failed_attempts": 0,
        "distance_km": Decimal(0),
    }
    assert figures(analytics, *expected) == expected


def test_stock_figures_are_those_of_the_last_day(analytics: PostgresAnalytics) -> None:
    expected = {
        "stock_units": 25,
        "stock_available": 22,
        "stock_value": Decimal(244),
        "below_reorder_point": 1,
        "out_of_stock": 0,
        "units_received": 38,
        "units_scrapped": 0,
        "units_corrected": -3,
    }
    assert figures(analytics, *expected) == expected


def test_averages_of_stock_are_those_of_all_days(analytics: PostgresAnalytics) -> None:
    # Tea 29 days and nut 27 are worth 3,984 and 860 a day added up; units worth 60 were shipped.
    expected = {
        "stock_out_share": Decimal(0),
        "average_stock_value": Decimal("167.0345"),
        "inventory_days_of_supply": Decimal("80.7333"),
        "inventory_turns": Decimal("4.5211"),
    }
    assert figures(analytics, *expected) == expected
    assert by(analytics, "product", "average_stock_value") == {
        "nut": [Decimal("31.8519")],
        "tea": [Decimal("137.3793")],
    }


def test_suppliers_are_measured_by_the_lead_time_that_was_agreed(analytics: PostgresAnalytics) -> None:
    # Ordered on the 2nd: tea came after 3 days, nut after 5, agreed were 4.
    expected = {
        "supplier_lead_time_days": Decimal(4),
        "supplier_lead_time_p95_days": Decimal("4.9"),
        "supplier_reliability": Decimal("0.5"),
    }
    assert figures(analytics, *expected, members={"supplier": ["acme"]}) == expected
    (receipt,) = evidence(analytics, "supplier_reliability")
    assert (receipt.columns["product_id"], receipt.columns["lead_days"]) == ("tea", 3)


def test_stock_by_month_is_that_of_each_months_last_day(analytics: PostgresAnalytics) -> None:
    assert by(analytics, "month", "stock_units", "stock_value") == {
        "2024-01": [26, Decimal(140)],
        "2024-02": [25, Decimal(244)],
    }
    january = Period(date(2024, 1, 1), date(2024, 1, 6))
    assert figures(analytics, "stock_units", period=january) == {"stock_units": 30}
    assert by(analytics, "product", "stock_units", members={"month": ["2024-01"]}) == {"nut": [8], "tea": [18]}


def test_stock_holds_after_the_last_day_on_which_anything_moved(analytics: PostgresAnalytics) -> None:
    names = ("stock_units", "stock_available", "stock_value", "below_reorder_point")
    levels = figures(analytics, *names)
    assert levels["stock_units"] == 25
    march = Period(date(2024, 3, 1), date(2024, 3, 31))
    assert figures(analytics, *names, period=march) == levels
    assert figures(analytics, *names, period=march, members={"product": ["tea", "nut"]}) == levels
    assert by(analytics, "product", "stock_units", period=march) == by(analytics, "product", "stock_units")
    assert evidence(analytics, "stock_units", period=march) == evidence(analytics, "stock_units")
    april = Period(date(2024, 4, 1), date(2024, 4, 30))
    assert [row.figures["stock_units"] for row in kpi_table(analytics, ["stock_units"], period=april).rows] == [25]
    assert by(analytics, "month", "stock_units", period=march) == {}, "no month after the last day has a day of its own"
    assert figures(analytics, "stock_units", period=march, members={"month": ["2024-02"]}) == {"stock_units": 0}
    before = Period(date(2023, 12, 1), date(2023, 12, 31))
    assert figures(analytics, *names, period=before) == {**dict.fromkeys(names, 0), "stock_value": Decimal(0)}


def test_late_orders_by_carrier_are_those_of_the_carrier_that_was_asked_for(
    analytics: PostgresAnalytics,
) -> None:
    assert by(analytics, "carrier", "orders", "orders_shipped", "orders_late") == {
        "ups": [3, 1, 1],
        "dhl": [1, 1, 0],
    }


def test_categories_are_those_of_the_time_and_names_those_of_today(analytics: PostgresAnalytics) -> None:
    assert by(analytics, "category", "net") == {
        "Beverages": [Decimal(90)],
        "Drinks": [Decimal(60)],
        "Snacks": [Decimal(32)],
    }
    rows = kpi_table(analytics, ["net"], by="product").rows
    assert [(row.member, row.figures["net"]) for row in rows] == [
        (("nut", "Nut"), Decimal(32)),
        (("tea", "Green Tea"), Decimal(150)),
    ]


def test_figures_of_several_facts_stand_in_one_row(analytics: PostgresAnalytics) -> None:
    assert by(analytics, "month", "net", "shipments", "stock_units", "units_received") == {
        "2024-01": [Decimal(110), 1, 26, 38],
        "2024-02": [Decimal(72), 1, 25, None],
    }
    assert by(analytics, "location", "units", "shipments") == {"hamburg": [None, 2], None: [23, None]}


def test_filters_and_periods_narrow_what_counts(analytics: PostgresAnalytics) -> None:
    assert figures(analytics, "orders", "net", members={"carrier": ["ups"], "category": ["Drinks", "Snacks"]}) == {
        "orders": 3,
        "net": Decimal(44),
    }
    assert figures(analytics, "orders", period=Period(date(2024, 2, 10), date(2024, 2, 10))) == {"orders": 1}
    assert by(analytics, "customer", "orders", members={"segment": [None]}) == {"c2": [1]}


@pytest.mark.parametrize("dimension", DIMENSIONS.values(), ids=DIMENSIONS)
def test_every_breakdown_adds_up_to_the_whole(analytics: PostgresAnalytics, dimension: Any) -> None:
    additive = [kpi for kpi in kpis_for([dimension]) if kpi.unit in {"lines", "units", "money", "shipments"}]
    # An order or shipment belongs to several members where only its lines know the dimension.
    names = [kpi.name for kpi in additive if dimension.sources[kpi.fact.name].through is None]
    names = [name for name in names if not name.startswith("average_")]
    if dimension.time:
        names = [name for name in names if not name.startswith("stock_")]
    whole = figures(analytics, *names)
    parts = kpi_table(analytics, names, by=dimension.name).rows
    assert {name: sum(row.figures[name] or 0 for row in parts) for name in names} == whole


def test_an_order_counts_once_for_each_member_of_its_lines(analytics: PostgresAnalytics) -> None:
    # o1 has tea and nuts, o2 and o4 tea, o3 nuts; the shipments s1 and s2 are of o1 and o2.
    assert by(analytics, "product", "orders", "orders_late") == {"tea": [3, 1], "nut": [2, 1]}
    assert by(analytics, "supplier", "orders", "shipments") == {"acme": [4, 2]}
    assert by(analytics, "product", "orders", members={"product": ["nut"]}) == {"nut": [2]}
    assert figures(analytics, "orders", "average_order_value", members={"product": ["nut", "tea"]}) == {
        "orders": 4,
        "average_order_value": Decimal("45.5"),
    }
    assert figures(analytics, "shipments", "transit_days", members={"customer": ["c1"], "category": ["Beverages"]}) == {
        "shipments": 1,
        "transit_days": Decimal(3),
    }
    assert by(analytics, "location", "orders", members={"location": [None]}) == {None: [4]}


def test_a_shipment_is_of_what_it_carries_itself(analytics: PostgresAnalytics) -> None:
    # s1, of an order with tea and nuts, carries tea alone, as do s2 and s3; s1 was planned before tea was revised.
    assert by(analytics, "product", "shipments") == {"tea": [2]}
    assert by(analytics, "category", "shipments") == {"Beverages": [1], "Drinks": [1]}
    assert figures(analytics, "shipments", members={"product": ["nut"]}) == {"shipments": 0}
    assert by(analytics, "product", "shipments", members={"category": ["Beverages"]}) == {"tea": [1]}
    assert by(analytics, "supplier", "shipments", members={"supplier": ["acme"]}) == {"acme": [2]}


@pytest.fixture(scope="module")
def two_suppliers(postgres: EmbeddedPostgres, _prepared: str) -> Iterator[PostgresAnalytics]:
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE two_suppliers TEMPLATE {_prepared}".encode())
    with star(postgres.conninfo("two_suppliers"), tell_of_two_suppliers()) as house:
        yield house.analytics


@pytest.mark.parametrize(
    ("members", "orders"),
    [
        ({"category": ["Drinks"], "supplier": ["best"]}, 1),
        ({"category": ["Snacks"], "supplier": ["acme"]}, 0),
        ({"category": ["Drinks", "Snacks"], "supplier": ["acme", "best"], "product": ["tea"]}, 1),
        ({"category": ["Drinks"], "location": ["hamburg"]}, 0),
        ({"category": ["Drinks"], "location": ["bremen", "hamburg"]}, 1),
        ({"product": ["nut"], "location": [None]}, 0),
        ({"supplier": ["acme"], "location": [None, "bremen"]}, 1),
        ({"product": ["tea"], "status": ["allocated"]}, 0),
        ({"location": ["hamburg"], "status": ["backordered"]}, 0),
        ({"category": ["Drinks"], "supplier": ["acme"], "location": [None], "status": ["backordered"]}, 1),
    ],
)
def test_filters_on_what_lines_are_of_hold_for_one_line(
    two_suppliers: PostgresAnalytics, members: dict[str, list[str | None]], orders: int
) -> None:
    assert figures(two_suppliers, "orders", members=members) == {"orders": orders}
    assert len(evidence(two_suppliers, "orders", members=members)) == orders


def test_a_breakdown_has_the_members_of_lines_that_the_filters_keep(two_suppliers: PostgresAnalytics) -> None:
    def orders_by(dimension: str, **members: list[str | None]) -> dict[Any, list[Any]]:
        return by(two_suppliers, dimension, "orders", members=members)

    assert orders_by("category", supplier=["best"]) == {"Drinks": [1], "Snacks": [1]}
    assert orders_by("location", product=["nut"]) == {"hamburg": [1]}
    assert orders_by("status", category=["Drinks"]) == {"allocated": [1], "backordered": [1]}
    assert orders_by("supplier", supplier=["best"], location=["hamburg"], category=["Drinks"]) == {}
    assert orders_by("customer", supplier=["best"], category=["Drinks"]) == {"c1": [1]}
    assert by(two_suppliers, "product", "shipments", members={"category": ["Drinks"], "supplier": ["best"]}) == {}


@pytest.mark.parametrize(
    ("dimension", "shipments"),
    [
        ("customer", {"c1": [1], None: [1]}),
        ("segment", {None: [2]}),
        ("currency", {"EUR": [1], None: [1]}),
        ("product", {"tea": [2]}),
    ],
)
def test_a_shipment_whose_order_is_not_known_yet_is_of_the_unknown_member(
    two_suppliers: PostgresAnalytics, dimension: str, shipments: dict[str | None, list[int]]
) -> None:
    assert by(two_suppliers, dimension, "shipments") == shipments
    for member, [count] in shipments.items():
        chosen = {dimension: [member]}
        assert figures(two_suppliers, "shipments", members=chosen) == {"shipments": count}
        assert by(two_suppliers, dimension, "shipments", members=chosen) == {member: [count]}


def test_all_filters_on_the_order_of_a_shipment_hold_or_it_is_unknown(two_suppliers: PostgresAnalytics) -> None:
    def shipments(**members: list[str | None]) -> Any:
        return figures(two_suppliers, "shipments", members=members)["shipments"]

    assert shipments(customer=["c1"], segment=[None]) == 1
    assert shipments(customer=["c1", None], currency=["EUR", None]) == 2
    assert shipments(customer=[None], currency=["EUR"]) == 0
    assert shipments(customer=[None], currency=[None], product=["tea"]) == 1
    assert by(two_suppliers, "currency", "shipments", members={"customer": [None]}) == {None: [1]}
    assert by(two_suppliers, "currency", "shipments", members={"customer": ["c1", None]}) == {"EUR": [1], None: [1]}


def test_money_of_stock_is_in_the_currency_of_the_product(two_suppliers: PostgresAnalytics) -> None:
    names = ("stock_value", "average_stock_value", "spend", "stock_units")
    assert by(two_suppliers, "currency", *names) == {"EUR": [30, 30, 30, 3], "USD": [10, 10, 10, 5]}
    assert by(two_suppliers, "product", *names, members={"currency": ["USD"]}) == {"juice": [10, 10, 10, 5]}
    assert figures(two_suppliers, "stock_value", "spend", members={"currency": [None]}) == {
        "stock_value": 0,
        "spend": 0,
    }


def test_the_currencies_of_sums_of_money_are_known(two_suppliers: PostgresAnalytics) -> None:
    def found(*names: str, by: str | None = None, **members: list[str | None]) -> dict[str, tuple[str, ...]]:
        kpis = [KPIS[name] for name in names]
        mixed = currencies(two_suppliers, kpis, DIMENSIONS[by] if by else None, selection(members, None))
        return {name: each.now for name, each in mixed.items()}

    both = ("EUR", "USD")
    names = ("gross", "net", "average_order_value", "stock_value", "average_stock_value", "spend")
    assert found(*names, "orders", "stock_units", "fill_rate") == dict.fromkeys(names, both)
    assert found("average_stock_value", by="product") == {"average_stock_value": both}
    assert found("freight_share") == {"freight_share": both}
    assert found("inventory_turns") == {"inventory_turns": both}
    assert found("inventory_days_of_supply") == {"inventory_days_of_supply": both}
    assert found("net", "stock_value", by="currency") == {}
    assert found("net", "stock_value", currency=["USD"]) == {"net": ("USD",), "stock_value": ("USD",)}
    assert found("net", supplier=["acme"]) == {"net": ("EUR",)}
    assert found("freight") == {"freight": ()}, "nothing was charged"


@pytest.fixture(scope="module")
def two_currencies(postgres: EmbeddedPostgres) -> Iterator[PostgresAnalytics]:
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE two_currencies TEMPLATE migrated")
    with star(postgres.conninfo("two_currencies"), tell_of_two_currencies()) as house:
        yield house.analytics


FEBRUARY = Period(on("02-01"), on("02-29"))
DRINKS: dict[str, list[str | None]] = {"product": ["juice", "tea"]}


@pytest.mark.parametrize(
    ("kpi", "by", "where", "expected"),
    [
        ("net", None, selection({}, None), Currencies(("EUR", "USD"))),
        ("net", None, selection({}, FEBRUARY), Currencies(("EUR",))),
        ("net", None, selection({"currency": ["CHF"]}, None), Currencies(())),
        ("net", "month", selection({}, None), Currencies(("EUR", "USD"), apart=True)),
        ("average_order_value", "country", selection({}, None), Currencies(("EUR", "USD"), apart=True)),
        ("average_order_value", "product", selection({}, None), Currencies(("EUR", "USD"), apart=True)),
        ("net", "product", selection({"currency": ["EUR", "CHF"]}, None), Currencies(("EUR",))),
        ("net", "customer", selection({}, None), Currencies(("EUR", "USD"))),
        ("stock_value", None, selection(DRINKS, None), Currencies(("EUR",))),
        ("stock_value", "month", selection(DRINKS, None), Currencies(("EUR", "USD"), apart=True)),
        ("stock_value", "year", selection(DRINKS, None), Currencies(("EUR",))),
        ("average_stock_value", None, selection(DRINKS, None), Currencies(("EUR", "USD"))),
        ("average_stock_value", "month", selection(DRINKS, FEBRUARY), Currencies(("EUR", "USD"))),
        ("average_stock_value", "day", selection(DRINKS, FEBRUARY), Currencies(("EUR", "USD"), apart=True)),
        ("stock_value", None, selection({"product": ["salt"]}, None), Currencies((UNSTATED,))),
        ("stock_value", None, selection({}, None), Currencies(("EUR", UNSTATED))),
        ("stock_value", "product", selection({}, None), Currencies(("EUR", UNSTATED), apart=True)),
    ],
)
def test_only_amounts_that_one_figure_adds_up_are_mixed(
    two_currencies: PostgresAnalytics,
    kpi: str,
    by: str | None,
    where: Selection,
    expected: Currencies,
) -> None:
    broken_down = DIMENSIONS[by] if by else None
    found = currencies(two_currencies, [KPIS[kpi]], broken_down, where)
    assert found == {kpi: expected}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (None, Currencies(("EUR",), ("USD",))),
        ("customer", Currencies(("EUR",), ("USD",))),
        ("country", Currencies(("EUR",), ("USD",), apart=True)),
    ],
)
def test_the_period_before_may_have_been_in_another_currency(
    two_currencies: PostgresAnalytics, by: str | None, expected: Currencies
) -> None:
    broken_down = DIMENSIONS[by] if by else None
    found = currencies(two_currencies, [KPIS["net"]], broken_down, selection({}, FEBRUARY), previous(FEBRUARY))
    assert found == {"net": expected}


def test_every_kpi_that_speaks_of_an_amount_says_what_it_adds_up() -> None:
    told = {kpi.name for kpi in KPIS.values() if addends(kpi)}
    amount = re.compile(r"\bf\.(gross|net|freight|stock_value|unit_\w+)\b")
    assert told == {kpi.name for kpi in KPIS.values() if kpi.unit == "money" or amount.search(kpi.expression)}
    assert addends(KPIS["inventory_turns"]) == ("f.shipped * f.unit_value", "f.stock_value")


def plan_of(pool: ConnectionPool, kpi: Kpi, dimension: str, members: list[str | None], *unused: LiteralString) -> str:
    """Return how the server would answer; tables of a story are too small for an index to pay by itself."""
    where = Selection((Filter(DIMENSIONS[dimension], tuple(members)),))
    with pool.connection() as connection:
        connection.execute("SET LOCAL search_path = gold")
        statement, values = measure(kpi.fact, [kpi], None, where, find_keys(connection, kpi.fact, where))
        for way in unused:
            connection.execute(f"SET LOCAL enable_{way} = off")
        return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}".encode(), values))


@pytest.mark.parametrize(
    ("kpi", "dimension", "members", "asked"),
    [
        ("average_stock_value", "currency", ["EUR"], False),
        ("average_stock_value", "currency", [None], True),
        ("stock_out_share", "product", ["nut", "tea"], False),
        ("stock_out_share", "product", ["tea"], True),
        ("stock_out_share", "location", ["hamburg"], False),
        ("net", "category", ["Beverages", "Drinks", "Snacks"], False),
        ("net", "category", ["Beverages", "Snacks"], True),
        ("spend", "currency", ["EUR"], True),
    ],
)
def test_a_filter_that_all_rows_of_a_fact_meet_is_not_asked_for(
    pool: ConnectionPool, kpi: str, dimension: str, members: list[str | None], asked: bool
) -> None:
    analytics = PostgresAnalytics(pool)
    where = Selection((Filter(DIMENSIONS[dimension], tuple(members)),))
    with pool.connection() as connection:
        connection.execute("SET LOCAL search_path = gold")
        keys = find_keys(connection, KPIS[kpi].fact, where)
        statement, _ = measure(KPIS[kpi].fact, [KPIS[kpi]], None, where, keys)
    assert ("= ANY" in statement) is asked
    told = by(analytics, dimension, kpi)
    if not asked:
        assert set(told) <= set(members)
        assert figures(analytics, kpi, members={dimension: members}) == figures(analytics, kpi)
    elif len(members) == 1:
        assert [figures(analytics, kpi, members={dimension: members})[kpi]] == told.get(members[0], [None])


SCOPED = [gold for gold in read_definitions(GOLD, {subject.name for subject in SUBJECTS}) if gold.scope is not None]


@pytest.mark.parametrize("gold", SCOPED, ids=lambda gold: gold.name)
def test_rows_that_are_gone_are_found_by_a_join(pool: ConnectionPool, gold: GoldDefinition) -> None:
    """However many rows the planner expects: days between movements it can only guess, thousands for each."""
    where = sql.SQL(" WHERE {} = ANY(%(scopes)s)").format(sql.Identifier(gold.scope or ""))
    statement = selecting_again(LIVE, gold, where, list(gold.columns))
    with pool.connection() as connection:
        plan = [line for (line,) in connection.execute(sql.SQL("EXPLAIN ") + statement, {"scopes": ["stock"]})]
    deleted = next(n for n, line in enumerate(plan) if "Delete on" in line)
    assert "Anti Join" in "".join(plan[deleted : deleted + 3])


@pytest.mark.parametrize(
    ("kpi", "dimension", "members", "index"),
    [
        ("orders", "supplier", ["acme"], "fact_order_product_keys_location_ids_idx"),
        ("orders", "product", ["nut", "tea"], "fact_order_product_keys_location_ids_idx"),
        ("orders", "category", ["Drinks", None], "fact_order_product_keys_location_ids_idx"),
        ("orders", "location", ["hamburg"], "fact_order_product_keys_location_ids_idx"),
        ("shipments", "supplier", ["acme"], "fact_shipment_product_keys_idx"),
        ("shipments", "product", ["nut", "tea"], "fact_shipment_product_keys_idx"),
        ("shipments", "category", ["Drinks", None], "fact_shipment_product_keys_idx"),
    ],
)
def test_what_lines_alone_are_of_finds_orders_and_shipments_in_an_index(
    pool: ConnectionPool, kpi: str, dimension: str, members: list[str | None], index: str
) -> None:
    plan = plan_of(pool, KPIS[kpi], dimension, members, "seqscan")
    assert f"Bitmap Index Scan on {index}" in plan
    assert "fact_order_line" not in plan


@pytest.mark.parametrize(
    ("kpi", "dimension", "members", "index"),
    [
        ("orders", "year", ["2024"], "fact_order_placed_date_key"),
        ("order_cycle_time_p50_days", "month", ["2024-01"], "fact_order_placed_date_key"),
        ("distance_km", "week", ["2024-W03"], "fact_shipment_planned_date_key"),
        ("delivery_delay_p50_hours", "carrier", ["ups"], "fact_shipment_planned_date_key"),
        ("spend", "year", ["2024"], "fact_stock_movement_kind_moved_date_key"),
        ("average_stock_value", "year", ["2024"], "fact_stock_daily_"),
        ("average_stock_value", "product", ["tea"], "fact_stock_daily_product_key"),
        ("inventory_turns", "country", ["DE"], "fact_stock_daily_location_key"),
        ("inventory_turns", "category", ["Snacks"], "fact_stock_daily_product_key"),
        ("inventory_turns", "currency", ["EUR"], "fact_stock_daily_"),
        ("stock_out_share", "location", ["hamburg"], "fact_stock_daily_location_key"),
    ],
)
def test_what_a_fact_holds_is_answered_from_an_index_alone(
    pool: ConnectionPool, kpi: str, dimension: str, members: list[str | None], index: str
) -> None:
    plan = plan_of(pool, KPIS[kpi], dimension, members, "seqscan", "bitmapscan")
    assert f"Index Only Scan using {index}" in plan
    assert "dim_" not in plan


@pytest.fixture(scope="module")
def many_stocks(postgres: EmbeddedPostgres) -> Iterator[ConnectionPool]:
    """Stocks of a thousand days: one of juice, which costs dollars and is in hamburg, the others of tea in bremen."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE many_stocks TEMPLATE migrated")
    conninfo = postgres.conninfo("many_stocks")
    with star(conninfo, tell_of_two_suppliers()) as house:
        house.execute(
            "SET search_path = gold",
            "ALTER TABLE fact_stock_daily DISABLE TRIGGER ALL",
            "CREATE TEMP TABLE day AS SELECT * FROM fact_stock_daily LIMIT 1",
            "TRUNCATE fact_stock_daily",
            *(
                "UPDATE day SET (product_key, location_key) = (SELECT p.product_key, l.location_key "
                "FROM dim_product p, dim_location l "
                f"WHERE p.product_id = '{product}' AND l.location_id = '{location}');"
                "INSERT INTO fact_stock_daily SELECT (jsonb_populate_record(day, jsonb_build_object("
                "'stream_id', n, 'date_key', to_char(date '2024-01-01' + d, 'YYYYMMDD')))).* "
                f"FROM day, generate_series({first}, {last}) n, generate_series(1, 1000) d"
                for product, location, first, last in (("juice", "hamburg", 0, 0), ("tea", "bremen", 1, 60))
            ),
        )
        house.execute("VACUUM ANALYZE fact_stock_daily")
    with open_pool(conninfo, size=1) as pool:
        yield pool


@pytest.mark.parametrize(
    ("kpi", "dimension", "members"),
    [
        ("average_stock_value", "currency", ["EUR"]),
        ("average_stock_value", "supplier", ["acme"]),
        ("average_stock_value", "location", ["bremen"]),
    ],
)
def test_what_most_stocks_are_of_is_read_in_the_order_of_days_from_an_index_alone(
    many_stocks: ConnectionPool, kpi: str, dimension: str, members: list[str | None]
) -> None:
    plan = plan_of(many_stocks, KPIS[kpi], dimension, members)
    assert "Index Only Scan using fact_stock_daily_date_key" in plan
    assert "Sort" not in plan


def test_days_that_do_not_follow_each_other_are_those_that_were_chosen(analytics: PostgresAnalytics) -> None:
    days = {day: orders for day, [orders] in by(analytics, "day", "orders").items() if orders}
    first, *between, last = sorted(days)
    assert between
    assert by(analytics, "day", "orders", members={"day": [last, first]}) == {day: [days[day]] for day in (first, last)}
    both = figures(analytics, "orders", members={"day": [first, last]})
    assert both == {"orders": days[first] + days[last]}
    assert figures(analytics, "orders", "stock_out_share", members={"year": ["1969", None]}) == {
        "orders": 0,
        "stock_out_share": None,
    }


@pytest.mark.parametrize(
    ("distances", "total"),
    [
        ([], Decimal(0)),
        ([None], Decimal(0)),
        ([0.7, 0.1, 0.3, 0.05], Decimal("1.2")),
        ([0.1] * 1000, Decimal(100)),
        ([12345.67, None, 0.28], Decimal("12346.0")),
        ([1e20, 0.1], Decimal(10) ** 20),
    ],
)
def test_distances_add_up_as_if_they_were_decimals(
    pool: ConnectionPool, distances: list[float | None], total: Decimal
) -> None:
    statement = f"SELECT {KPIS['distance_km'].expression} FROM unnest(%s::float8[]) AS f (distance_km)"
    with pool.connection() as connection:
        assert connection.execute(statement.encode(), [distances]).fetchone() == (total,)


@pytest.mark.parametrize(
    ("rule", "late", "on_time", "in_full"),
    [
        (Rule(), 1, "0.5", "1"),
        (Rule(grain="line"), 1, "0.666667", "1"),
        (Rule(tolerance=1), 0, "1", "1"),
        # Requested on the 20th, ordered on the 10th at noon: ten days are over on the 20th at noon.
        (Rule(unit="hour", tolerance=23), 1, "0.5", "1"),
        (Rule(unit="hour", tolerance=24), 0, "1", "1"),
        (Rule(due="original", basis="delivered"), 1, "0", "1"),
        (Rule(due="promised", basis="delivered", tolerance=1), 0, "1", "1"),
        (Rule(basis="delivered", grain="line"), 1, "0.666667", "1"),
    ],
)
def test_a_policy_decides_what_is_late(
    analytics: PostgresAnalytics, rule: Rule, late: int, on_time: str, in_full: str
) -> None:
    policy = Policy("tried", 1, rule)
    assert figures(analytics, "orders_late", "on_time_rate", "in_full_rate", policies=[policy]) == {
        "orders_late": late,
        "on_time_rate": Decimal(on_time),
        "in_full_rate": Decimal(in_full),
    }
    assert len(evidence(analytics, "orders_late", policy=policy)) == late


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_every_kpi_can_be_compared_and_filtered_on_whatever_it_knows(analytics: PostgresAnalytics, kpi: Kpi) -> None:
    february = Period(date(2024, 2, 1), date(2024, 2, 29))
    known = {name: ["x", None] for name, dimension in DIMENSIONS.items() if kpi.fact.name in dimension.sources}
    (before,) = kpi_table(analytics, [kpi.name], period=previous(february)).rows
    table = kpi_table(analytics, [kpi.name], period=february, compare=True)
    assert table.change(table.rows[0], kpi).previous == before.figures[kpi.name]
    for name, members in known.items():
        figures(analytics, kpi.name, members={name: members}, policies=[Policy("lines", 1, Rule(grain="line"))])


def test_members_are_those_that_occur_in_order_of_their_names(analytics: PostgresAnalytics) -> None:
    assert analytics.members(DIMENSIONS["carrier"]) == [("dhl", "DHL"), ("ups", "UPS")]
    assert analytics.members(DIMENSIONS["supplier"]) == [("acme", "Acme")]
    assert analytics.members(DIMENSIONS["month"]) == [("2024-01", "2024-01"), ("2024-02", "2024-02")]


def test_a_member_is_listed_once_however_many_facts_it_has(analytics: PostgresAnalytics) -> None:
    of_lines = Dimension("product", "Product", {"fact_order_line": Source("f.product_id", "f.product_id")})
    listed = [member.key for member in analytics.members(of_lines)]
    assert len(listed) == len(set(listed))
    assert (figures(analytics, "order_lines")["order_lines"] or 0) > len(listed)


def test_evidence_names_the_rows_and_events_behind_a_figure(analytics: PostgresAnalytics) -> None:
    (row,) = evidence(analytics, "orders_late")
    assert (row.stream_id, row.columns["last_shipped_date_key"]) == ("order-o1", 20240121)
    placed, *_, delivered_last = positions_of("order-o1")
    assert (row.first_position, row.last_position) == (placed, delivered_last)
    assert evidence(analytics, "orders_late", members={"carrier": ["dhl"]}) == []
    assert [row.columns["product_id"] for row in evidence(analytics, "below_reorder_point")] == ["tea"]
    assert len(evidence(analytics, "net", limit=2)) == 2


def test_an_explained_figure_says_of_how_many_rows_it_names_some(analytics: PostgresAnalytics) -> None:
    for name in ("orders_late", "units_shipped", "stock_units", "units_received", "fill_rate"):
        whole = evidence(analytics, name)
        explained = explain_figure(analytics, name, limit=1)
        assert (len(explained.rows), explained.total) == (min(1, len(whole)), len(whole)), name
        assert explained.figure == figures(analytics, name)[name]
    assert explain_figure(analytics, "orders_late", members={"carrier": ["dhl"]}).total == 0


def test_without_facts_sums_are_zero_and_rates_are_unknown(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        build_whole(connection, LIVE, [])
    with open_pool(conninfo, size=1) as pool:
        empty = PostgresAnalytics(pool)
        assert figures(empty, "orders", "net", "on_time_rate", "stock_units") == {
            "orders": 0,
            "net": Decimal(0),
            "on_time_rate": None,
            "stock_units": 0,
        }
        assert empty.position() == 0


def test_before_anything_was_projected_the_error_says_so(conninfo: str) -> None:
    with open_pool(conninfo, size=1) as pool, pytest.raises(AnalyticsUnavailableError, match="no read models"):
        PostgresAnalytics(pool).position()
