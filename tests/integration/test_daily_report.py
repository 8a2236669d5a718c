"""The report of a business day: the figures of the command line, fixed at a position, and what changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from urllib.parse import quote

import psycopg
import pytest
from dependency_injector import providers
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.database import open_pool
from adapters.postgres.runs import PostgresRuns
from application.daily.document import DailyReport, encode
from application.daily.figures import DAY_KPIS, SERVICE_KPIS, STOCK_KPIS, ending
from application.ports.analytics import Period
from application.ports.message_stream import OutgoingMessage
from application.ports.runs import Known
from application.queries.figures import kpi_table
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from entrypoints import daily, pipeline
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.soak import SOAK

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = date(2026, 1, 20)
HOUR = timedelta(hours=1)
NOON = time(12, tzinfo=UTC)
DAYS = 10 if SOAK else 3


def silent(*_: object) -> None:
    """Report no progress."""


def url_of(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    return f"postgresql://{parts['user']}@/{parts['dbname']}?host={quote(str(parts['host']), safe='')}"


@pytest.fixture(scope="module")
def past() -> list[OutgoingMessage]:
    """The messages of 60 orders in 20 days."""
    return list(messages(SimulationSettings(start=START, seed=5, orders=60, days=20)))


@pytest.fixture
def container(prepared: str) -> Iterator[Container]:
    with platform(Settings(database_url=url_of(prepared))) as opened:
        yield opened


def take_in(container: Container, made: Sequence[OutgoingMessage]) -> None:
    pipeline.publish(container, made, silent)
    pipeline.take_in(container, silent)


def run(container: Container, day: date) -> DailyReport:
    daily.fix(container, day)
    daily.catch_up(container, day)
    return daily.make(container, day)


def test_figures_are_those_of_the_kpis(container: Container, past: list[OutgoingMessage]) -> None:
    take_in(container, past)
    report = run(container, DAY)
    week = kpi_table(container.analytics(), DAY_KPIS, period=ending(DAY, 7), compare=True)
    service = kpi_table(container.analytics(), SERVICE_KPIS, period=ending(DAY, 28))
    stock = kpi_table(container.analytics(), STOCK_KPIS, period=Period(date.min, DAY))
    for name, column, measured in (("day", 4, week), ("service", 4, service), ("stock", 1, stock)):
        cells = [row[column].number for row in report.section(name).rows]
        assert cells == [measured.rows[0].figures[kpi.name] for kpi in measured.kpis]
    before = [week.before[week.rows[0].member][kpi.name] for kpi in week.kpis] if week.before else []
    assert [row[5].number for row in report.section("day").rows] == before
    assert any(cell for row in report.section("day").rows if (cell := row[4].number))


def test_money_is_told_with_all_currencies_that_its_row_adds_up(
    container: Container, past: list[OutgoingMessage]
) -> None:
    def in_dollars(message: OutgoingMessage) -> OutgoingMessage:
        return message._replace(payload=message.payload.replace(b'"EUR"', b'"USD"'))

    def titles(report: DailyReport) -> set[str]:
        rows = [str(row[0].value) for name in ("day", "stock") for row in report.section(name).rows]
        return {*rows, *(f"{each.title} by day" for each in report.charts)}

    # The generator's orders of the 13th alone count in the week before.
    orders = [
        f"{DAY - timedelta(days=7)}T".encode() in each.payload and b".PlaceOrder." in each.payload for each in past
    ]
    assert 0 < sum(orders) < len(past)
    take_in(container, [in_dollars(each) if placed else each for each, placed in zip(past, orders, strict=True)])
    report = run(container, DAY)
    assert {"Net sales EUR + USD", "Net sales EUR + USD by day", "Stock value EUR"} <= titles(report)
    assert "Orders" in titles(report)
    later = run(container, DAY + timedelta(days=7))
    assert {"Net sales EUR", "Net sales EUR + USD by day", "Stock value EUR"} <= titles(later)


def test_what_to_order_is_the_quantity_that_was_set_and_what_is_missing(
    container: Container, past: list[OutgoingMessage]
) -> None:
    take_in(container, past)
    rows = run(container, DAY).section("reorder").rows
    below = kpi_table(container.analytics(), ["below_reorder_point"], period=Period(date.min, DAY))
    assert len(rows) == below.rows[0].figures["below_reorder_point"] > 0
    with psycopg.connect(container.database()) as connection:
        names = "SELECT name || ' (' || {0}_id || ')', {0}_id FROM gold.dim_{0} WHERE is_current AND name <> {0}_id"
        products, locations = (
            dict(connection.execute(names.format(kind).encode()).fetchall()) for kind in ("product", "location")
        )
        for product, location, on_hand, available, point, quantity in rows:
            key = [products[product.value], locations[location.value]]
            query = "SELECT reorder_quantity FROM silver.stock WHERE (product_id, location_id) = (%s, %s)"
            (set_,) = next(connection.execute(query, key))
            assert available.number <= point.number
            assert on_hand.number >= 0
            assert quantity.number == set_ + max(Decimal(0), -available.number)


def test_a_day_made_again_is_equal_to_the_byte_although_the_star_went_on(
    container: Container, past: list[OutgoingMessage]
) -> None:
    take_in(container, past[: len(past) * 2 // 3])
    first = run(container, DAY)
    digests = daily.digest(container, DAY).digests
    take_in(container, past[len(past) * 2 // 3 :])
    pipeline.project(container, silent)
    assert container.read_model().position() > first.position
    assert encode(run(container, DAY)) == encode(first) == encode(daily.report(container, DAY))
    assert daily.digest(container, DAY).digests == digests
    assert container.builds().all() == []


def test_days_run_out_of_order_equal_those_in_order(container: Container, past: list[OutgoingMessage]) -> None:
    days = [DAY + timedelta(days=number) for number in range(DAYS)]
    told = len(past) * 2 // 3
    take_in(container, past[:told])
    for number, day in enumerate(days):  # each in time, and one more piece of what is left before the next
        piece = (len(past) - told) // DAYS
        with container.now.override(providers.Object(lambda day=day: datetime.combine(day, NOON) + timedelta(days=1))):
            take_in(container, past[told + number * piece : told + (number + 1) * piece])
    pipeline.project(container, silent)
    shuffled = {day: whole_run(container, day) for day in [*days[1::2], *days[::2]]}
    again = {day: encode(run(container, day)) for day in days}
    with psycopg.connect(container.database()) as connection:
        connection.execute("UPDATE runs.days SET digests = NULL, checked = NULL")
        connection.execute("DELETE FROM runs.reports")
    in_order = {day: whole_run(container, day) for day in days}
    assert [in_order[day][:2] for day in days] == [shuffled[day][:2] for day in days]
    assert len({position for position, *_ in in_order.values()}) == DAYS
    assert {day: report for day, (*_, report) in in_order.items()} == again


def whole_run(container: Container, day: date) -> tuple[int, object, bytes]:
    """Run a day; return its position, the digests of its star, and its report."""
    report = run(container, day)
    return report.position, daily.digest(container, day).digests, encode(report)


def test_a_star_that_gives_other_rows_for_a_day_is_refused(container: Container, past: list[OutgoingMessage]) -> None:
    take_in(container, past)
    run(container, DAY)
    daily.digest(container, DAY)
    with psycopg.connect(container.database()) as connection:
        connection.execute("UPDATE gold.fact_shipment SET exceptions = exceptions + 1")
    with pytest.raises(daily.StarChangedError, match="other rows than before in fact_shipment"):
        daily.digest(container, DAY)


def test_news_of_earlier_days_is_restated_with_the_events_behind_it(
    container: Container, past: list[OutgoingMessage]
) -> None:
    take_in(container, past[: len(past) * 3 // 4])
    first = run(container, DAY - timedelta(days=1))
    assert first.section("restated").rows == ()
    take_in(container, past[len(past) * 3 // 4 :])
    report = run(container, DAY)
    rows = report.section("restated").rows
    now = kpi_table(container.analytics(), DAY_KPIS, period=ending(first.day, 1)).rows[0].figures
    titles = {kpi.title: kpi.name for kpi in kpi_table(container.analytics(), DAY_KPIS).kpis}
    titles["Net sales EUR"] = titles.pop("Net sales")
    assert rows
    assert "Net sales EUR" in {row[1].value for row in rows}
    for day, title, reported, is_, why in rows:
        assert day.value == f"{first.day}"
        assert reported.value == first.day_figures[titles[str(title.value)]]
        assert is_.number == now[titles[str(title.value)]] != reported.number
        assert re.match(r"\d+ (order|order line|shipment|receipt)s?( of goods)?: \d+ [A-Z]", str(why.value))
    reasons = {(str(row[0].value), str(row[1].value)): str(row[4].value) for row in rows}
    received = reasons[f"{first.day}", "Units received"]
    assert received.partition(": ")[2] == f"{received.split()[0]} StockReceived"
    placed = next(row for row in rows if row[1].value == "Orders")
    assert str(placed[4].value).startswith(f"{placed[3].value} orders: {placed[3].value} OrderPlaced, ")


def test_a_day_run_late_is_fixed_at_what_was_known_in_time(conninfo: str) -> None:
    with open_pool(conninfo, size=2) as pool, psycopg.connect(conninfo, autocommit=True) as connection:
        runs, known = PostgresRuns(pool), Known({"received": 2}, {})
        for hour in (1, 5):
            meta = f'{{"meta": {{"recorded_at": "{(START + hour * HOUR).isoformat()}"}}, "data": {{}}}}'
            connection.execute(
                "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
                " VALUES ('order-1', %s, 'OrderPlaced.v1', %s)",
                [hour, meta.encode()],
            )
        positions = [position for (position,) in connection.execute("SELECT notification_id FROM events.stored_events")]
        day = START.date()
        in_time = runs.fix(day, known, START + 3 * HOUR)
        assert in_time.position == positions[0]
        assert runs.fix(day - timedelta(days=1), known, START).position == positions[1]
        assert runs.fix(day + timedelta(days=1), known, datetime.now(UTC) + HOUR).position == positions[1]
        assert runs.fix(day, Known({}, {}), datetime.now(UTC) + HOUR) == in_time == runs.find(day)


def test_a_day_that_is_not_over_or_was_not_run_is_refused(container: Container) -> None:
    today = datetime.now(UTC).date()
    with pytest.raises(daily.DayNotOverError, match="not over yet"):
        daily.fix(container, today)
    with pytest.raises(daily.DayNotRunError, match=f"--date {DAY} --renew"):
        daily.report(container, DAY)


def test_checks_that_fail_as_errors_are_kept_and_end_the_day(container: Container, past: list[OutgoingMessage]) -> None:
    take_in(container, past)
    run(container, DAY)
    with psycopg.connect(container.database()) as connection:
        connection.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE line_no = 1")
    with pytest.raises(daily.QualityError, match="reconciliation order lines"):
        daily.check(container, DAY)
    kept = container.runs().find(DAY)
    assert kept is not None
    assert kept.checked is not None
    assert "reconciliation order lines" in {each.name for each in kept.checked.failed}
