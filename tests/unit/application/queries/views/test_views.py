"""What the pages show, from figures and rows that are known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from application.ports.analytics import Period
from application.ports.inbox import Balance
from application.ports.listings import Star
from application.queries.definitions import ORDERS, STOCK_DAILY
from application.queries.kpis import KPIS
from application.queries.policies import Policy, Rule
from application.queries.views.choice import SPANS, Choice
from application.queries.views.inventory import inventory, supply_days
from application.queries.views.measuring import bars_by, by_step, column_of, named, over_time, tiles
from application.queries.views.orders import CYCLE_DAY, orders
from application.queries.views.overview import Overview, overview
from application.queries.views.pipeline import Sample, flow
from application.queries.views.shapes import MOST_BARS, Column, Table, as_csv, days_of, line
from application.queries.views.shipments import is_late, shipments, weather
from application.queries.views.suppliers import ranked, suppliers
from application.queries.views.words import age, change_in_words, in_short, in_words, is_better
from tests.unit.application.queries.views.answering import Answers

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WEEK = Period(date(2026, 2, 23), date(2026, 3, 1))


def star(*arguments: Any, **more: Any) -> Star:
    return cast(Star, Answers(*arguments, **more))


def chosen(period: Period | None = WEEK, **members: tuple[str, ...]) -> Choice:
    return Choice(NOW, period, members)


def test_a_span_ends_today() -> None:
    assert SPANS["Last 7 days"].period(date(2026, 3, 1)) == WEEK
    assert SPANS["All"].period(date(2026, 3, 1)) is None


def test_a_long_period_is_drawn_by_weeks() -> None:
    assert chosen(WEEK).step == "day"
    assert chosen(Period(date(2026, 1, 1), date(2026, 3, 1))).step == "day"
    assert chosen(Period(date(2025, 12, 31), date(2026, 3, 1))).step == "week"
    assert chosen(None).step == "week"


def test_a_filter_is_applied_to_the_facts_that_know_it_alone() -> None:
    choice = chosen(carrier=("DHL",), category=("Toys",))
    assert [each.dimension.name for each in choice.where(STOCK_DAILY).filters] == ["category"]
    assert [each.dimension.name for each in choice.where(ORDERS).filters] == ["carrier", "category"]
    assert choice.unknown([STOCK_DAILY]) == ["Carrier"]
    assert choice.unknown([STOCK_DAILY, ORDERS]) == []


@pytest.mark.parametrize(
    ("name", "figure", "words"),
    [
        ("orders", 1234, "1,234"),
        ("net", Decimal("98765.435"), "98,765.44"),
        ("on_time_rate", Decimal("0.966597"), "96.7%"),
        ("order_cycle_time_days", Decimal("3.1415"), "3.1 days"),
        ("delivery_delay_p50_hours", Decimal("-41.71"), "-41.7 hours"),
        ("fill_rate", None, "–"),
        ("distance_km", Decimal("1960721.84"), "1,960,721.8 km"),
        ("inventory_turns", Decimal("0.1813"), "0.18 a year"),
    ],
)
def test_figures_in_words(name: str, figure: Any, words: str) -> None:
    assert in_words(KPIS[name], figure) == words


def test_a_tile_has_room_for_millions_and_shows_cents_below_them() -> None:
    net = KPIS["net"]
    assert in_short(net, Decimal("1139755.84")) == "1,139,756"
    assert in_short(net, Decimal("-999999.99")) == "-999,999.99"
    assert in_short(net, None) == in_words(net, None) == "–"
    assert in_short(KPIS["units"], 1_139_755) == "1,139,755"


def test_a_tile_compares_with_the_period_before_and_knows_what_is_better() -> None:
    kpis = [KPIS["orders"], KPIS["orders_late"], KPIS["on_time_rate"]]
    now = {"orders": 30, "orders_late": 4, "on_time_rate": Decimal("0.9")}
    before = {"orders": 40, "orders_late": 5, "on_time_rate": Decimal("0.85")}
    made = tiles(star(now, period=WEEK, before=before), kpis, chosen())
    assert [(t.text, t.change, t.better) for t in made] == [
        ("30", "-25.0%", False),
        ("4", "-20.0%", True),
        ("90.0%", "+5.0 points", True),
    ]


def test_a_tile_of_a_policy_that_judges_lines_is_called_after_lines() -> None:
    lines = Choice(NOW, WEEK, {}, Policy("lines", 1, Rule(grain="line")))
    late, rate = tiles(star({"orders_late": 3}), named(lines, ["orders_late", "on_time_rate"]), lines)
    assert (late.title, rate.title) == ("Order lines late", "On-time rate, order lines")
    assert late.meaning.startswith("Order lines late")


def test_without_a_period_nothing_is_compared() -> None:
    (tile,) = tiles(star({"orders": 30}), [KPIS["orders"]], chosen(None))
    assert (tile.text, tile.change, tile.better) == ("30", None, None)


def test_a_change_from_nothing_is_not_known() -> None:
    (tile,) = tiles(star({"orders": 30}, period=WEEK, before={"orders": 0}), [KPIS["orders"]], chosen())
    assert tile.change is None


def test_steps_are_in_order_and_know_their_days() -> None:
    by = {"day": {"2026-02-28": {"orders": 2}, "2026-02-27": {"orders": 1}, None: {"orders": 9}}}
    steps = by_step(star(by=by), [KPIS["orders"]], chosen())
    (series,) = over_time(steps, [KPIS["orders"]], chosen())
    assert [(step.first, step.value) for step in series.steps] == [(date(2026, 2, 27), 1.0), (date(2026, 2, 28), 2.0)]
    assert series.title == "Orders by day"
    assert days_of("2026-W09") == (date(2026, 2, 23), date(2026, 3, 2))


def test_a_trend_has_0_where_nothing_was_counted_and_a_gap_where_a_share_is_not_known() -> None:
    kpis = [KPIS["orders"], KPIS["on_time_rate"]]
    by = {
        "day": {
            "2026-02-25": {"orders": 2, "on_time_rate": Decimal("0.5")},
            "2026-02-26": {"orders": 1, "on_time_rate": None},
            "2026-03-01": {"orders": 3, "on_time_rate": Decimal(1)},
        }
    }
    answers = star({"orders": 6}, by=by)
    orders_, rate = tiles(answers, kpis, chosen(), by_step(answers, kpis, chosen()))
    assert orders_.trend == (2, 1, 0, 0, 3)
    assert rate.trend == (0.5, None, None, None, 1)


def test_a_line_ends_where_a_figure_is_not_known_and_begins_anew_after_it() -> None:
    assert line((0.5, None, 1, 0.75, None)) == (((0.0, 100.0),), ((50.0, 0.0), (75.0, 50.0)))
    assert line((3, 3)) == (((0.0, 0.0), (100.0, 0.0)),)
    assert line((None, None, 3)) == line((None, None)) == line(()) == ()


def test_of_many_members_the_greatest_are_drawn_and_the_title_says_so() -> None:
    by = {"cycle_day": {f"{n:05}": {"orders": n} for n in range(1, MOST_BARS + 4)}}
    drawn = bars_by(star(by=by), KPIS["orders"], CYCLE_DAY, chosen(), "Orders")
    assert [bar.value for bar in drawn.bars] == [float(n) for n in range(MOST_BARS + 3, 3, -1)]
    assert drawn.title == f"Orders: the first {MOST_BARS} of {MOST_BARS + 3}"


def overview_of(totals: dict[str, Any], waiting: dict[str, int]) -> Overview:
    inbox = SimpleNamespace(waiting=lambda: waiting, balance=lambda: Balance(1, 1, 0, 0))
    by: Any = {
        "currency": {"EUR": {"net": 1}, "USD": {"net": 2}},
        "order_status": {"partly_shipped": {"orders": 3}},
    }
    return overview(star(totals, period=WEEK, by=by), cast(Any, inbox), chosen())


def test_alerts_count_what_is_late_what_is_out_and_what_waits() -> None:
    shown = overview_of({"overdue_orders": 2, "overdue_shipments": 0, "out_of_stock": 5}, {"StockUnknown": 3, "X": 1})
    assert [(alert.number, alert.severity) for alert in shown.alerts] == [
        (2, "serious"),
        (0, "good"),
        (5, "warning"),
        (4, "warning"),
    ]


def test_net_sales_name_their_currencies_and_statuses_are_words() -> None:
    shown = overview_of({"net": Decimal(3)}, {})
    assert "Net sales EUR + USD" in [tile.title for tile in shown.flows]
    assert [bar.label for bar in shown.statuses[0].bars] == ["Partly shipped"]


@pytest.mark.parametrize(
    ("before", "change"),
    [(("EUR", "USD"), "+50.0%"), (("EUR",), None), (("CHF",), None)],
    ids=["of the same currencies", "of one of them", "of another"],
)
def test_money_is_not_compared_with_that_of_other_currencies(before: tuple[str, ...], change: str | None) -> None:
    found = star(
        {"orders": 4, "net": 3, "spend": 3},
        period=WEEK,
        before={"orders": 2, "net": 2, "spend": 2},
        by={"currency": {each: {"net": 1, "spend": 1} for each in ("EUR", "USD")}},
        by_before={"currency": {each: {"net": 1, "spend": 1} for each in before}},
    )
    inbox = cast(Any, SimpleNamespace(waiting=dict, balance=lambda: Balance(1, 1, 0, 0)))
    sales = {tile.name: tile for tile in overview(found, inbox, chosen()).flows}
    spend = {tile.name: tile for tile in suppliers(found, chosen()).flows}["spend"]
    better = change and True
    assert (sales["net"].title, sales["net"].change, sales["net"].better) == ("Net sales EUR + USD", change, better)
    assert (spend.title, spend.change, spend.better) == ("Spend EUR + USD", change, None)
    assert sales["orders"].change == "+100.0%"


def test_the_value_of_stock_names_the_currencies_that_it_adds_up() -> None:
    by: Any = {"currency": {"EUR": {"stock_value": Decimal(1)}, "JPY": {"stock_value": 0}, None: {"stock_value": 2}}}
    star_of_stock = star({"stock_value": Decimal(3)}, by=by)
    inbox = cast(Any, SimpleNamespace(waiting=dict, balance=lambda: Balance(1, 1, 0, 0)))
    for levels in (inventory(star_of_stock, chosen()).levels, overview(star_of_stock, inbox, chosen()).levels):
        assert "Stock value EUR + unstated currency" in [tile.title for tile in levels]


def test_the_funnel_says_the_share_that_came_so_far() -> None:
    totals = {"placed": 200, "confirmed": 190, "shipped_in_part": 150, "shipped_in_full": 100, "delivered_in_full": 50}
    shown = orders(star(totals, period=WEEK), chosen())
    assert [bar.text for bar in shown.funnel.bars][::4] == ["200 · 100.0%", "50 · 25.0%"]


def test_cycle_times_have_a_bar_for_each_day_and_one_for_all_that_took_longer() -> None:
    by: Any = {
        "cycle_day": {"00000": {"orders": 4}, "00002": {"orders": 1}, "00040": {"orders": 2}, None: {"orders": 9}}
    }
    drawn = orders(star(by=by), chosen()).cycle
    assert [(bar.label, bar.value) for bar in drawn.bars][:3] == [("0", 4.0), ("1", 0.0), ("2", 1.0)]
    assert (drawn.bars[-1].label, drawn.bars[-1].value) == ("15+", 2.0)


def shipment(**more: Any) -> dict[str, Any]:
    names = (
        "eta",
        "last_latitude",
        "last_longitude",
        "temperature_c",
        "precipitation_mm",
        "wind_speed_kmh",
        "delivered_at",
        "returned_at",
    )
    known = {
        "stream_id": "shipment-1",
        "shipment_id": "1",
        "order_id": "7",
        "status": "in_transit",
        "planned_delivery_at": NOW - timedelta(hours=1),
        "carrier": "DHL",
        "origin": "Rotterdam",
        "destination": "Vienna, AT",
        "origin_latitude": 51.9,
        "origin_longitude": 4.5,
        "latitude": 48.2,
        "longitude": 16.4,
    }
    return dict.fromkeys(names) | known | more


def test_a_shipment_is_late_after_the_plan_whether_it_arrived_or_not() -> None:
    assert is_late(shipment(), NOW)
    assert not is_late(shipment(delivered_at=NOW - timedelta(hours=2)), NOW)
    assert not is_late(shipment(planned_delivery_at=None), NOW)


def test_the_map_has_routes_with_both_ends_and_positions_of_what_is_under_way() -> None:
    under_way = shipment(last_latitude=50.0, last_longitude=10.0)
    arrived = under_way | {"delivered_at": NOW - timedelta(hours=2)}
    lists = {"fact_shipment": [under_way, arrived, shipment(latitude=None)]}
    shown = shipments(star(lists=lists), chosen())
    assert [(route.start, route.end, route.seen, route.late) for route in shown.routes] == [
        ((4.5, 51.9), (16.4, 48.2), (10.0, 50.0), True),
        ((4.5, 51.9), (16.4, 48.2), None, False),
    ]
    assert len(shown.latest.rows) == 3


def test_a_shipment_that_went_back_is_neither_under_way_nor_late() -> None:
    back = shipment(status="returned", returned_at=NOW - timedelta(minutes=5), last_latitude=50.0, last_longitude=10.0)
    (route,) = shipments(star(lists={"fact_shipment": [back]}), chosen()).routes
    assert not is_late(back, NOW)
    assert (route.seen, route.late) == (None, False)
    assert "; went back 2026-03-01 11:55;" in route.detail


def test_the_map_says_how_many_of_the_shipments_that_left_are_on_it() -> None:
    shown = shipments(star({"shipments_dispatched": 809}, period=WEEK, lists={"fact_shipment": [shipment()]}), chosen())
    assert (len(shown.routes), shown.dispatched) == (1, 809)


def test_a_list_of_back_orders_that_is_cut_says_so() -> None:
    waiting = dict.fromkeys(("stream_id", "order_id", "product", "units", "since", "promised"))
    few, many = (orders(star(lists={"fact_order_line": [waiting] * rows}), chosen()).waiting for rows in (3, 300))
    assert (few.title, len(few.rows)) == ("Back-orders: units that wait for stock", 3)
    assert (many.title, len(many.rows)) == ("Back-orders: units that wait for stock, the first 200", 200)


def test_weather_is_what_was_recorded() -> None:
    assert weather(shipment()) == "not recorded"
    assert weather(shipment(temperature_c=3.6, wind_speed_kmh=20)) == "4 °C, wind 20 km/h"


def test_days_of_supply() -> None:
    assert supply_days(10, Decimal("2.5")) == Decimal("4.0")
    assert supply_days(-3, Decimal(1)) == 0
    assert supply_days(10, Decimal(0)) is None
    assert supply_days(10, None) is None


def test_suppliers_are_ranked_and_those_without_a_figure_are_last() -> None:
    table = Table("x", (), (("A", None), ("B", Decimal("0.5")), ("C", Decimal("0.9"))), ("a", "b", "c"))
    assert ranked(table).keys == ("c", "b", "a")


def test_rates_are_those_of_the_last_five_minutes() -> None:
    samples = [
        Sample(NOW - timedelta(minutes=30), 0, 0, 0),
        Sample(NOW - timedelta(minutes=4), 100, 500, 480),
        Sample(NOW, 340, 980, 960),
    ]
    assert flow(samples) == (20, 1.0, 2.0, NOW - timedelta(minutes=4))
    assert flow(samples[:1]) == (0, None, None, None)


def test_exported_figures_have_every_digit() -> None:
    columns = (Column("Name"), column_of(KPIS["net"]), Column("When", "time"))
    table = Table("x", columns, (('a "b"', Decimal("1.23456789"), NOW), ("c", None, None)))
    assert as_csv(table) == 'Name,Net sales,When\r\n"a ""b""",1.23456789,2026-03-01T12:00:00+00:00\r\nc,,\r\n'


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "just now"), (40, "40 s ago"), (60, "1 min ago"), (7_300, "2 h ago"), (180_000, "2 days ago")],
)
def test_ages(seconds: int, words: str) -> None:
    assert age(timedelta(seconds=seconds)) == words


def test_a_change_that_is_too_small_to_be_shown_is_neither_better_nor_worse() -> None:
    tiny, small = (SimpleNamespace(difference=Decimal(each), ratio=Decimal(each)) for each in ("0.0004", "0.0006"))
    for name, better in (("on_time_rate", True), ("order_cycle_time_days", False)):
        assert change_in_words(KPIS[name], cast(Any, tiny))[:4] == "+0.0"
        assert is_better(KPIS[name], cast(Any, tiny)) is None
        assert is_better(KPIS[name], cast(Any, small)) is better
    from_nothing = SimpleNamespace(difference=Decimal(3), ratio=None)
    assert is_better(KPIS["orders_late"], cast(Any, from_nothing)) is False


def test_a_change_of_a_share_is_in_points() -> None:
    change = SimpleNamespace(difference=Decimal("-0.0123"), ratio=Decimal("-0.5"))
    assert change_in_words(KPIS["on_time_rate"], cast(Any, change)) == "-1.2 points"
    assert change_in_words(KPIS["orders"], cast(Any, change)) == "-50.0%"
