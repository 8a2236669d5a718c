"""`dataflow demo`: the whole platform from nothing, with one command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.home import Home, ended, free_port, until

BALANCE = re.compile(r"([\d,]+) received = ([\d,]+) applied \+ ([\d,]+) duplicates \+ ([\d,]+) quarantined")


def _balance(output: str) -> list[int]:
    found = BALANCE.search(output)
    assert found is not None, output
    return [int(number.replace(",", "")) for number in found.groups()]


class Figures(NamedTuple):
    output: str
    kpis: object
    status: dict[str, object]


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Figures, Figures]]:
    """What two runs on one data folder show, the first from nothing."""
    with closing(Home(tmp_path_factory.mktemp("demo") / "home")) as home:
        first = home.do("demo", "--orders", 100, "--exit")
        home.keep_server()
        after_first = Figures(first, home.json("kpi"), home.json("status"))
        second = home.do("demo", "--orders", 100, "--exit")
        yield after_first, Figures(second, home.json("kpi"), home.json("status"))


def test_it_shows_the_figures_of_all_orders(demonstrated: tuple[Figures, Figures]) -> None:
    output = demonstrated[0].output
    for title in ("Orders", "Stock", "By month", "By carrier", "By category"):
        assert re.search(rf"^{title} *$", output, re.MULTILINE), title
    assert re.search(r"│ Orders +│ +100 │", output)


def test_all_that_was_published_was_received_and_accounted_for(demonstrated: tuple[Figures, Figures]) -> None:
    output = demonstrated[0].output
    received, applied, duplicate, quarantined = _balance(output)
    assert f"{received:,} messages published" in output
    assert received == applied + duplicate + quarantined > 1_000
    assert demonstrated[0].status["balance_holds"] is True


def test_a_second_run_doubles_nothing(demonstrated: tuple[Figures, Figures]) -> None:
    first, second = demonstrated
    assert "has data already" in second.output
    assert _balance(second.output) == _balance(first.output)
    assert second.kpis == first.kpis
    assert second.status == first.status


class Live(NamedTuple):
    home: Home
    process: subprocess.Popen[str]
    port: int

    def count(self, query: str) -> int:
        with self.home.connect() as connection:
            (number,) = connection.execute(query).fetchone() or (0,)
        return int(number)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A demo that runs, with its page up."""
    port = free_port()
    with closing(Home(tmp_path_factory.mktemp("live") / "home", dashboard_port=port)) as home:
        process = home.start("demo", "--orders", 30, "--rate", 20)
        until(lambda: process.poll() is not None or _answer(port, "/_stcore/health") == "ok", "the page is not served")
        assert process.poll() is None, ended(process)
        yield Live(home, process, port)


def _answer(port: int, path: str) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.read().decode() if response.status == 200 else None
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def test_the_page_is_served(live: Live) -> None:
    page = _answer(live.port, "/")
    assert page is not None
    assert "<html" in page


def test_live_orders_make_log_and_read_models_grow(live: Live) -> None:
    orders = "SELECT count(*) FROM events.stored_events WHERE topic = 'OrderPlaced.v1'"
    projected = "SELECT count(DISTINCT order_id) FROM gold.fact_order_line"
    logged = live.count(orders)
    until(lambda: live.count(orders) >= logged + 5, "no live orders arrive")
    until(lambda: live.count(projected) >= logged + 5, "live orders are not projected")
    assert live.process.poll() is None


def test_a_second_demo_on_the_same_data_names_the_first(live: Live) -> None:
    said = live.home.refusal("demo", "--exit")
    assert f"dataflow demo (process {live.process.pid})" in said
    assert "DATAFLOW_HOME" in said


def test_a_consumer_and_a_follower_stay_out_of_its_way(live: Live) -> None:
    for command in ("consume", "project"):
        assert f"(process {live.process.pid})" in live.home.refusal(command)


def test_it_ends_when_asked_and_leaves_no_process_behind(live: Live) -> None:
    children = psutil.Process(live.process.pid).children(recursive=True)
    server = live.home.server_pid()
    assert server is not None
    left = [*children, psutil.Process(server)]
    assert any("streamlit" in " ".join(child.cmdline()) for child in children)
    with connect(
        f"ws://127.0.0.1:{live.port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None
    ) as viewer:
        _view(viewer)
        os.kill(live.process.pid, signal.SIGTERM)
        _, alive = psutil.wait_procs(left, timeout=10)
    done = ended(live.process)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not alive
    assert live.home.server_pid() is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"host={live.home.folder / 'postgres'} user=postgres dbname=dataflow")


def _view(viewer: ClientConnection) -> None:
    """Have the page made, as a browser does, so that the page's process uses the database too."""
    ask = BackMsg()
    ask.rerun_script.query_string = ""
    viewer.send(ask.SerializeToString())
    until(lambda: b"Net sales" in viewer.recv(timeout=30), "the page shows no figures")


def test_what_was_taken_in_live_is_kept(live: Live, tmp_path: Path) -> None:
    status = live.home.json("status")
    assert status["balance_holds"] is True
    assert live.home.json("kpi", "orders")["rows"][0]["figures"]["orders"] >= 35
