"""The page runs on a real database: what it shows, what it says where there is nothing to show, or no database."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pytest
import streamlit as st
from click.testing import CliRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from streamlit.testing.v1 import AppTest

from adapters.postgres.server import EmbeddedPostgres
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from application.queries.views.inventory import STOCKS_OUT
from application.queries.views.words import in_short, in_words
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from domain.shared.measures import round_money
from entrypoints import pipeline
from entrypoints.cli.answers import kpi
from entrypoints.cli.context import platform
from entrypoints.cli.explain import explain
from entrypoints.settings import Settings
from tests.browser.served import order

PAGE = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
ORDERS = 50
_PLACED = "SELECT placed_date_key FROM gold.fact_order"
DAYS_OF = {
    "overview": f"{_PLACED} UNION SELECT planned_date_key FROM gold.fact_shipment",
    "orders": _PLACED,
    "shipments": "SELECT planned_date_key FROM gold.fact_shipment",
    "inventory": "SELECT date_key FROM gold.fact_stock_daily",
    "suppliers": f"{_PLACED} UNION SELECT moved_date_key FROM gold.fact_stock_movement",
    "explain": _PLACED,
}
"""The days of what each page shows."""


def silent(_done: int, _total: int | None) -> None:
    """Report nothing."""


@pytest.fixture(autouse=True)
def wired_anew() -> Iterator[None]:
    """Each test wires its own platform, and closes it."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with orders of the last 60 days, a few messages sent twice, a few broken."""
    folder = tmp_path_factory.mktemp("dashboard")
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=60)
    made = messages(SimulationSettings(start=start, seed=7, orders=ORDERS, days=60))
    with platform(Settings(home=folder)) as container:
        pipeline.publish(
            container, with_faults(made, seed=7, duplicate_share=0.02, late_share=0, broken_share=0.01), silent
        )
        pipeline.take_in(container, silent)
        pipeline.project(container, silent)
    return folder


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_HOME", str(home))


@pytest.fixture
def page(at_home: None) -> AppTest:
    page = opened()
    return page.selectbox(key="period").set_value("All").run()


def opened() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=60).run()


def looked_at(screen: str) -> AppTest:
    """Open a page that must have nothing to complain about."""
    app = opened()
    app.selectbox(key="period").set_value("All")
    page = app.switch_page(f"screens/{screen}.py").run()
    assert not page.exception
    assert not page.error
    assert "at the end of the log" in " ".join(caption.value for caption in page.markdown)
    return page


def titles(page: AppTest) -> list[str]:
    return [each.value.strip("*") for each in page.markdown]


def tiles(page: AppTest) -> dict[str, str]:
    assert not page.exception
    return {tile.label: tile.value for tile in page.metric}


def figures_of(*arguments: str) -> dict[str, Decimal]:
    """Return what `dataflow kpi --json` prints."""
    result = CliRunner().invoke(kpi, ["--json", *arguments], catch_exceptions=False)
    (row,) = json.loads(result.stdout)["rows"]
    return {name: Decimal(figure) for name, figure in row["figures"].items() if figure is not None}


def expected_tiles(flows: dict[str, Decimal], levels: dict[str, Decimal]) -> dict[str, str]:
    return {
        "Orders": f"{flows['orders']:,}",
        "Net sales EUR": f"{round_money(flows['net']):,}",
        "On-time rate": f"{flows['on_time_rate'] * 100:.1f}%",
        "Fill rate": f"{flows['fill_rate'] * 100:.1f}%",
        "Order cycle time": f"{flows['order_cycle_time_days']:,.1f} days",
        "Stock value EUR": in_short(KPIS["stock_value"], levels["stock_value"]),
        "At or below reorder point": f"{levels['below_reorder_point']:,}",
        "Units back-ordered": f"{levels['units_backordered']:,}",
    }


def test_the_tiles_show_the_figures_of_the_command_line(page: AppTest) -> None:
    figures = figures_of()
    assert figures["orders"] == ORDERS
    assert expected_tiles(figures, figures).items() <= tiles(page).items()


def test_a_period_narrows_the_flows_as_the_command_line_does(page: AppTest) -> None:
    page.selectbox(key="period").set_value("Last 7 days").run()
    first = datetime.now(UTC).date() - timedelta(days=6)
    flows, levels = figures_of("--from", f"{first}", "--to", f"{datetime.now(UTC).date()}"), figures_of()
    assert 0 < flows["orders"] < ORDERS
    assert expected_tiles(flows, levels).items() <= tiles(page).items()


def test_a_filter_narrows_the_figures_as_the_command_line_does(page: AppTest) -> None:
    carrier = page.multiselect(key="carrier")
    carrier.set_value(carrier.options[:1]).run()
    (chosen,) = page.session_state["carrier"]
    figures = figures_of("--where", f"carrier={chosen}", "orders", "net")
    assert 0 < figures["orders"] < ORDERS
    shown = tiles(page)
    assert shown["Orders"] == f"{figures['orders']:,}"
    assert shown["Net sales EUR"] == f"{round_money(figures['net']):,}"


def test_what_is_of_the_period_does_not_stand_under_now(page: AppTest) -> None:
    assert [each.value for each in page.subheader] == ["Now", "In the period"]


@pytest.mark.parametrize(
    ("screen", "where"),
    [("overview", "of stock, and not applied there"), ("suppliers", "of receipts, and not applied there")],
)
def test_a_filter_that_some_of_a_pages_figures_know_is_named_with_the_others(
    at_home: None, screen: str, where: str
) -> None:
    page = looked_at(screen)
    assert not any("not applied" in title for title in titles(page))
    carrier = page.multiselect(key="carrier")
    carrier.set_value(carrier.options[:1]).run()
    assert f":small[Not known {where}: Carrier.]" in titles(page)


def test_orders_are_listed_with_their_funnel_and_one_can_be_followed(at_home: None) -> None:
    page = looked_at("orders")
    assert {"From placed to delivered", "Days from placed to delivered in full"} <= set(titles(page))
    latest = page.dataframe[0].value
    assert len(latest) == ORDERS
    order = f"order-{latest['Order'][0]}"
    page.selectbox(key="order").set_value(order).run()
    history = next(each.value for each in page.dataframe if "Version" in each.value.columns)
    assert next(iter(history["What"])) == "Order placed"
    assert json.loads(page.json[0].value)["order_id"] == latest["Order"][0]


def test_shipments_are_on_the_map_and_in_the_scorecards(at_home: None) -> None:
    page = looked_at("shipments")
    figures = figures_of("shipments", "shipments_dispatched", "delivery_on_time_rate")
    assert tiles(page)["Shipments"] == f"{figures['shipments']:,}"
    carriers, lanes, latest = (frame.value for frame in page.dataframe)
    assert carriers["Shipments"].sum() == lanes["Shipments"].sum() == figures["shipments"]
    deck = json.loads(page.get("deck_gl_json_chart")[0].proto.json)
    layers = {layer["id"]: layer for layer in deck["layers"]}
    assert len(layers["routes"]["data"]) == len(latest)
    left = f"{len(latest)} of {figures['shipments_dispatched']} shipments that left"
    assert any(title.startswith(f"On the map {left}: ") for title in titles(page))
    assert "mapStyle" not in deck or "http" not in str(deck["mapStyle"])


def test_inventory_adds_up_over_locations(at_home: None) -> None:
    page = looked_at("inventory")
    figures = figures_of("stock_units", "below_reorder_point")
    reorder, locations, _ = (frame.value for frame in page.dataframe)
    assert tiles(page)["Stock on hand"] == f"{figures['stock_units']:,}"
    assert locations["Stock on hand"].sum() == figures["stock_units"]
    assert len(reorder) == figures["below_reorder_point"]
    assert (reorder["Available"] <= reorder["Reorder point"]).all()


def test_the_calendar_counts_the_stocks_that_had_nothing_on_each_day(home: Path, at_home: None) -> None:
    page = looked_at("inventory")
    (chart,) = (each.proto for each in page.get("vega_lite_chart") if '"weekday"' in each.proto.spec)
    drawn = pa.ipc.open_stream(chart.datasets[0].data.data).read_all().to_pylist()
    shown = {each["day"]: each["stocks"] for each in drawn}
    with platform(Settings(home=home)) as container:
        counted = container.analytics().measure([STOCKS_OUT], DIMENSIONS["day"])
    days = {date.fromisoformat(row.member.key or ""): row.figures["stocks_out"] for row in counted}
    assert shown == {f"{day:%a %d %b %Y}": count for day, count in days.items()}
    assert max(shown.values()) > 0
    weeks = {each["day"]: (each["week"], each["weekday"]) for each in drawn}
    assert weeks[f"{min(days):%a %d %b %Y}"] == (f"{min(days):%G-W%V}", f"{min(days):%a}")


def test_suppliers_are_ranked(at_home: None) -> None:
    page = looked_at("suppliers")
    ranking = page.dataframe[0].value
    rates = ranking["On time in full, lines"].dropna()
    assert list(rates) == sorted(rates, reverse=True)
    assert ranking["Units received"].sum() == figures_of("units_received")["units_received"]


def test_the_balance_and_the_reasons_in_quarantine_add_up(at_home: None) -> None:
    page = looked_at("pipeline")
    shown = tiles(page)
    received, applied, duplicate, quarantined = (
        int(shown[title].replace(",", "")) for title in ("Received", "= Applied", "+ Duplicate", "+ Quarantined")
    )
    assert received == applied + duplicate + quarantined
    assert duplicate > 0
    messages, reasons = (frame.value for frame in page.dataframe[:2])
    assert quarantined == reasons["Messages"].sum() == len(messages) > 0


def test_a_quarantined_message_is_shown_and_discarded_with_who_and_why(home: Path, at_home: None) -> None:
    page = looked_at("pipeline")
    number = int(page.dataframe[0].value["Number"][0])
    page.selectbox(key="message").set_value(number).run()
    with platform(Settings(home=home)) as container:
        assert page.code[0].value == container.quarantine().payload(number).decode("utf-8", "backslashreplace")
    page.text_input(key="why").input("sent by mistake").run()
    next(button for button in page.button if button.label == "Discard").click().run()
    with platform(Settings(home=home)) as container:
        settled = container.quarantine().show(number)
    assert (settled.status, settled.note, settled.actor) == ("discarded", "sent by mistake", getpass.getuser())
    assert number not in list(page.dataframe[0].value["Number"])


def test_a_refresh_takes_nothing_back_that_a_reader_chooses_meanwhile(at_home: None) -> None:
    page = looked_at("pipeline").run()
    assert not page.selectbox(key="message").proto.set_value


@pytest.mark.parametrize(
    ("kpi_name", "title"),
    [
        ("orders", "Orders"),
        ("stock_value", "Stock value EUR"),
        ("average_order_value", "Average order value EUR"),
        ("supplier_reliability", "Supplier reliability"),
    ],
)
def test_a_figure_is_explained_down_to_its_rows(at_home: None, kpi_name: str, title: str) -> None:
    page = looked_at("explain")
    page.selectbox(key="period").set_value("All")
    page.selectbox(key="kpi").set_value(kpi_name).run()
    assert tiles(page)[title] == in_words(KPIS[kpi_name], figures_of(kpi_name)[kpi_name])
    behind = json.loads(CliRunner().invoke(explain, [kpi_name, "--json"]).stdout)["rows_behind"]
    shown = len(page.dataframe[0].value)
    assert 0 < shown <= behind
    assert f":small[{shown:,} of {behind:,} rows are named.]" in titles(page)


def test_an_address_that_names_no_event_is_no_outage(at_home: None) -> None:
    page = looked_at("explain")
    page.query_params["event"] = "order-nothing:1"
    page.run()
    assert not page.error
    assert [each.value for each in page.info] == [
        "No event 'order-nothing:1'; name its stream and version, as in order-10248:1"
    ]
    assert not any("Tried again" in title for title in titles(page))


@pytest.mark.parametrize("screen", DAYS_OF)
def test_where_the_chosen_days_have_no_data_it_says_which_have(home: Path, at_home: None, screen: str) -> None:
    page = opened()
    page.selectbox(key="period").set_value("Own days").run()
    page.date_input(key="days").set_value((date(1997, 1, 1), date(1997, 1, 31))).run()
    page = page.switch_page(f"screens/{screen}.py").run()
    assert not page.exception
    with platform(Settings(home=home)) as container, psycopg.connect(container.database()) as connection:
        days = sorted(str(day) for (day,) in connection.execute(DAYS_OF[screen].encode()))
    first, last = (date.fromisoformat(day) for day in (days[0], days[-1]))
    assert [each.value for each in page.info] == [
        f"No data in the chosen days. There are data from {first} to {last}; the period All shows them."
    ]
    page.selectbox(key="period").set_value("All").run()
    assert not page.info


def test_data_of_one_day_are_said_to_be_of_that_day(prepared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(prepared))
    with platform(Settings(database_url=url_of(prepared))) as container:
        pipeline.publish(container, [order("1", datetime(1998, 5, 6, tzinfo=UTC))], silent)
        pipeline.take_in(container, silent)
        pipeline.project(container, silent)
    assert [each.value for each in opened().info] == [
        "No data in the chosen days. There are data of 1998-05-06; the period All shows them."
    ]


def test_without_data_it_says_which_commands_to_run(prepared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(prepared))
    page = opened()
    assert not tiles(page)
    assert page.info[0].value.startswith("No message was received yet: `dataflow generate`")


def test_a_database_that_goes_away_is_one_line_and_when_it_is_back_so_is_the_page(
    prepared: str, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(prepared))
    page = opened()
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        allow_connections(connection, prepared, allowed=False)
        for _ in range(2):
            assert_one_line(page.run())
        allow_connections(connection, prepared, allowed=True)
    assert not page.run().error
    assert page.info


def test_a_wrong_setting_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_BATCH_SIZE", "many")
    page = opened()
    assert_one_line(page)
    assert "DATAFLOW_BATCH_SIZE" in page.error[0].value


def assert_one_line(page: AppTest) -> None:
    assert not page.exception
    error = page.error[-1]
    assert error.value
    assert "\n" not in error.value
    assert not page.metric


def allow_connections(connection: psycopg.Connection, conninfo: str, *, allowed: bool) -> None:
    """Let a database take connections, or end those it has and take no more."""
    name = conninfo_to_dict(conninfo)["dbname"]
    statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    connection.execute(statement.format(sql.Identifier(str(name)), sql.Literal(allowed)))
    if not allowed:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def url_of(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    return f"postgresql://{parts['user']}@/{parts['dbname']}?host={quote(str(parts['host']), safe='')}"
