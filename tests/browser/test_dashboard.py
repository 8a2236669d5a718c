"""The page runs on a real database: what it shows, what it says where there is nothing to show, or no database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import streamlit as st
from click.testing import CliRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from streamlit.testing.v1 import AppTest

from adapters.postgres.server import EmbeddedPostgres
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from domain.shared.measures import round_money
from entrypoints import pipeline
from entrypoints.cli.answers import kpi
from entrypoints.cli.context import platform
from entrypoints.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
ORDERS = 50


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
def page(home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("DATAFLOW_HOME", str(home))
    return opened()


def opened() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=60).run()


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
        "Stock value": f"{round_money(levels['stock_value']):,}",
        "At or below reorder point": f"{levels['below_reorder_point']:,}",
        "Units back-ordered": f"{levels['units_backordered']:,}",
    }


def test_the_tiles_show_the_figures_of_the_command_line(page: AppTest) -> None:
    figures = figures_of()
    assert figures["orders"] == ORDERS
    assert expected_tiles(figures, figures).items() <= tiles(page).items()


def test_a_period_narrows_the_flows_as_the_command_line_does(page: AppTest) -> None:
    page.segmented_control[0].set_value("Last 30 days").run()
    first = datetime.now(UTC).date() - timedelta(days=29)
    flows, levels = figures_of("--from", f"{first}", "--to", f"{datetime.now(UTC).date()}"), figures_of()
    assert 0 < flows["orders"] < ORDERS
    assert expected_tiles(flows, levels).items() <= tiles(page).items()


def test_the_balance_and_the_reasons_in_quarantine_add_up(page: AppTest) -> None:
    shown = tiles(page)
    received, applied, duplicate, quarantined = (
        int(shown[title].replace(",", "")) for title in ("Received", "= Applied", "+ Duplicate", "+ Quarantined")
    )
    assert received == applied + duplicate + quarantined
    assert duplicate > 0
    reasons = page.dataframe[-1].value
    assert quarantined == reasons["Messages"].sum() > 0


def test_the_header_says_that_the_read_model_is_at_the_end_of_the_log(page: AppTest, home: Path) -> None:
    with platform(Settings(home=home)) as container:
        head = container.event_store().head()
    assert f"Position {head:,}, at the end of the log." in page.caption[0].value


def test_without_data_it_says_which_commands_to_run(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(conninfo))
    page = opened()
    assert not tiles(page)
    assert page.info[0].value.startswith("No message was received yet.")
    assert page.code[0].value.splitlines()[0] == "dataflow generate"


def test_a_database_that_goes_away_is_one_line_and_when_it_is_back_so_is_the_page(
    conninfo: str, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(conninfo))
    page = opened()
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        allow_connections(connection, conninfo, allowed=False)
        for _ in range(2):
            assert_one_line(page.run())
        allow_connections(connection, conninfo, allowed=True)
    assert not page.run().error
    assert page.info


def test_a_wrong_setting_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_BATCH_SIZE", "many")
    page = opened()
    assert_one_line(page)
    assert "DATAFLOW_BATCH_SIZE" in page.error[0].value


def assert_one_line(page: AppTest) -> None:
    assert not page.exception
    (error,) = page.error
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
