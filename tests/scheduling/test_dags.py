"""The DAGs on the embedded default: as drawn, run to success, twice, out of order, and into failures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.home import Home
from tests.scheduling.airflow_home import DAGS
from tests.scheduling.conftest import Airflow
from tests.soak import SOAK
from tests.webhook import Webhook, webhook

SWAPPED = "SELECT swapped FROM replay.certificates ORDER BY number DESC LIMIT 1"
HEAD = "SELECT max(notification_id) FROM events.stored_events"
EXCEPTIONS = "SELECT sum(exceptions) FROM gold.fact_shipment"
LAST = date(2026, 1, 24)
DAYS = 10 if SOAK else 2
MAPPING = 'name = "counts"\nzone = "UTC"\n[files.stock]\npath = "stock.csv"\ntypes = { qty = "INTEGER" }\n'
COUNTED = """\
SELECT sku AS product_id, 'main' AS location_id, DATE '{day}' AS occurred_at, qty AS counted, _file, _line
FROM stock
"""


class Shop:
    """A data folder with a past of twenty days, which DAGs are run on; each later day brings a file of its own."""

    def __init__(self, home: Home, airflow: Airflow, folder: Path, told: Webhook) -> None:
        self.home = home
        self.artefacts = folder / "artefacts"
        self.told = told
        self._airflow = airflow
        self._landing = folder / "landing"
        self.environment = {
            "DATAFLOW_HOME": str(home.folder),
            "AIRFLOW_VAR_DATAFLOW_ARTEFACTS": str(self.artefacts),
            "AIRFLOW_VAR_DATAFLOW_LANDING": str(self._landing / "{day}"),
            "AIRFLOW_VAR_DATAFLOW_LANDING_MAPPING": str(self._landing / "mapping"),
            "AIRFLOW_CONN_DATAFLOW_ALERT_WEBHOOK": told.url,
        }
        (self._landing / "mapping").mkdir(parents=True)
        (self._landing / "mapping" / "mapping.toml").write_text(MAPPING)
        (self._landing / "mapping" / "10_CountStock.sql").write_text(COUNTED.format(day=LAST - timedelta(days=DAYS)))

    def run(self, dag: str, **params: object) -> dict[str, Any]:
        return self._airflow.run(dag, self.environment, **params)

    def day(self, day: date) -> dict[str, Any]:
        return self.run("daily_supply_chain", day=f"{day}")

    def brings(self, day: date, counted: int) -> None:
        (self._landing / f"{day}").mkdir()
        (self._landing / f"{day}" / "stock.csv").write_text(f"sku,qty\nA,{counted}\nB,{counted + 1}\n")

    def execute(self, statement: str) -> None:
        with self.home.connect() as connection:
            connection.execute(statement.encode())

    def one(self, query: str) -> Any:
        with self.home.connect() as connection:
            return next(connection.execute(query.encode()))[0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, airflow: Airflow) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with closing(Home(folder / "home").keep_server()) as home, webhook() as told:
        home.do("generate", "--orders", 30, "--days", 20, "--seed", 5, "--start", "2026-01-05")
        yield Shop(home, airflow, folder, told)


@pytest.fixture(scope="module")
def in_order(shop: Shop) -> dict[date, dict[str, Any]]:
    """The last days, run one after the other, each with what it brought."""
    runs = {}
    for number in range(DAYS):
        day = LAST - timedelta(days=DAYS - 1 - number)
        shop.brings(day, 10 + number)
        runs[day] = shop.day(day)
    return runs


def failed(run: dict[str, Any]) -> list[str]:
    return [task for task, _, state in run["tasks"] if state == "failed"]


def test_dags_import_nothing_of_the_platform_and_their_tasks_retry_within_limits_and_tell(airflow: Airflow) -> None:
    for name, dag in airflow.dags.items():
        assert (name, dag["seconds"] < 1, dag["platform"]) == (name, True, [])
        assert {"dataflow", "supply-chain"} <= set(dag["tags"])
        assert dag["docs"].startswith("### ")
        for promised in dag["tasks"].values():
            assert promised["retries"] == 3
            assert promised["backs_off"]
            assert promised["time_out"]
            assert promised["alerts"]
            assert (promised["pool"], promised["owner"]) == ("dataflow_database", "supply-chain-data")
    assert {name: (dag["schedule"], dag["deadline"]) for name, dag in airflow.dags.items()} == {
        "daily_supply_chain": ("0 2 * * *", "2:00:00"),
        "rebuild_projections": ("0 4 * * 0", "6:00:00"),
        "verify_sample": ("30 3 * * *", "1:00:00"),
    }


def test_dags_are_as_drawn(airflow: Airflow) -> None:
    drawn = drawings((DAGS.parent / "docs" / "operations.md").read_text())
    assert {name: [tuple(edge) for edge in dag["edges"]] for name, dag in airflow.dags.items() if dag["edges"]} == drawn


def drawings(page: str) -> dict[str, list[tuple[str, str]]]:
    """Return the edges of each diagram of a page that is titled as a DAG; a box in two lines is a mapped task."""
    found = re.findall(r"```mermaid\n---\ntitle: (\w+)\n---\nflowchart LR\n(.*?)```", page, re.DOTALL)
    return {name: sorted(edge for line in body.splitlines() for edge in chain(line)) for name, body in found}


def chain(line: str) -> list[tuple[str, str]]:
    tasks = [re.sub(r"\W.*", "", part.strip()) for part in line.split("-->")]
    return list(pairwise(tasks))


def test_a_day_is_run_to_its_report(shop: Shop, in_order: dict[date, dict[str, Any]]) -> None:
    run = in_order[LAST]
    assert run["state"] == "success"
    returned = run["returned"]
    position = returned["fix_position.-1"]["position"]
    assert returned["extract.0"]["published"] == 2
    assert returned["load.-1"]["position"] == position == returned["transform.-1"]["position"] > 0
    assert run["assets"] == {
        "dataflow://platform/bronze": {"position": position},
        "dataflow://platform/silver": {"day": f"{LAST}", "position": position},
        "dataflow://platform/gold": {"day": f"{LAST}", "position": position},
    }
    page = Path(returned["report.-1"]["files"][0])
    assert page.parent == shop.artefacts / "reports"
    assert shop.home.do("report", "--date", LAST) == page.read_text()
    assert shop.told.posted == []


def test_days_run_again_out_of_order_give_the_rows_and_reports_of_the_days_in_order(
    shop: Shop, in_order: dict[date, dict[str, Any]]
) -> None:
    first = {day: run["returned"]["load.-1"] for day, run in in_order.items()}
    last = [Path(file) for file in in_order[LAST]["returned"]["report.-1"]["files"]]
    pages = [file.read_bytes() for file in last]
    assert len({load["position"] for load in first.values()}) == len({repr(load["digests"]) for load in first.values()})
    assert [load["position"] for load in first.values()] == sorted({load["position"] for load in first.values()})
    shop.execute("UPDATE runs.days SET digests = NULL, checked = NULL")
    days = list(first)
    again = {day: shop.day(day) for day in [*days[1::2], *days[::2]]}
    assert {run["state"] for run in again.values()} == {"success"}
    assert {day: run["returned"]["load.-1"] for day, run in again.items()} == first
    assert [file.read_bytes() for file in last] == pages


@pytest.mark.usefixtures("in_order")
def test_a_rebuild_in_shards_is_certified_and_put_in_place(shop: Shop) -> None:
    run = shop.run("rebuild_projections", shards=3)
    assert run["state"] == "success"
    proof = run["returned"]["certify.-1"]
    assert len([task for task, number, _ in run["tasks"] if task == "load_shard" and number >= 0]) == 3
    assert proof["equal"] is True
    assert run["assets"]["dataflow://platform/gold"] == {"position": proof["position"]}
    assert Path(proof["file"]).is_file()
    assert shop.one(SWAPPED) is True
    assert shop.run("verify_sample", streams=50)["state"] == "success"


@pytest.mark.usefixtures("in_order")
def test_a_rebuild_of_a_star_that_is_far_behind_goes_on_to_the_end_of_the_log(shop: Shop) -> None:
    proved = shop.one(HEAD)
    shop.execute("SELECT setval(pg_get_serial_sequence('events.stored_events', 'notification_id'), 200_000)")
    shop.home.do("generate", "--orders", 3, "--days", 2, "--seed", 6, "--start", "2026-01-25")
    shop.home.do("consume", "--once")
    head = shop.one(HEAD)
    run = shop.run("rebuild_projections", shards=3)
    assert run["state"] == "success"
    assert head > 200_000
    assert ["swap", -1, "skipped"] in run["tasks"]
    proof = json.loads(Path(run["returned"]["rebuild_onward.-1"]["file"]).read_text())
    assert (proof["equal"], proof["position"], proof["built_on_to"]) == (True, proved, head)
    assert run["assets"]["dataflow://platform/gold"] == {"position": head}
    assert shop.one(SWAPPED) is True
    assert shop.run("verify_sample", streams=50)["state"] == "success"


@pytest.mark.usefixtures("in_order")
def test_a_failed_certificate_fails_the_run_and_leaves_the_live_star(shop: Shop) -> None:
    shop.execute("UPDATE gold.fact_shipment SET exceptions = exceptions + 1")
    exceptions = shop.one(EXCEPTIONS)
    refused = shop.run("rebuild_projections", shards=2)
    assert failed(refused) == ["certify"]
    assert shop.one(SWAPPED) is False
    assert shop.one(EXCEPTIONS) == exceptions
    shop.execute("UPDATE gold.fact_shipment SET exceptions = exceptions - 1")


def test_a_mistake_in_the_parameters_is_told_and_not_tried_again(shop: Shop) -> None:
    shop.told.posted.clear()
    run = shop.run("rebuild_projections", shards=2, as_of="2026-01-24T00:00Z", into="early")
    assert failed(run) == ["plan"]
    (told,) = shop.told.posted
    assert "nothing was recorded by 2026-01-24" in told["error"]


@pytest.mark.usefixtures("in_order")
def test_a_failed_check_ends_the_day_before_its_report_and_tells_somebody(shop: Shop) -> None:
    shop.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE line_no = 1")
    before = LAST - timedelta(days=DAYS)
    shop.told.posted.clear()
    run = shop.day(before)
    assert run["state"] == "failed"
    assert failed(run) == ["quality"]
    assert ["report", -1, "upstream_failed"] in run["tasks"]
    (told,) = shop.told.posted
    assert (told["what"], told["dag"], told["task"]) == ("a task failed", "daily_supply_chain", "quality")
    assert "reconciliation order lines" in told["error"]
    assert shop.one(f"SELECT count(*) FROM runs.reports WHERE day = '{before}'") == 0


def test_a_missed_deadline_is_told_with_its_run(shop: Shop, airflow: Airflow) -> None:
    shop.told.posted.clear()
    context = {"dag_run": {"dag_id": "verify_sample", "dag_run_id": "scheduled__1"}}
    assert airflow.late("verify_sample", context, shop.environment) == ["running", "success"]
    (told,) = shop.told.posted
    assert told["text"] == "a run is late: dag verify_sample, run scheduled__1, expected within 1:00:00"


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("https://hooks.example.com/services/T1/B2/x?v=1", "https://hooks.example.com/services/T1/B2/x?v=1"),
        (
            '{"conn_type": "http", "host": "https://hooks.example.com/services/T1"}',
            "https://hooks.example.com/services/T1",
        ),
        ("postgresql://u:p%2Fw@db:5432/shop?sslmode=require", "postgresql://u:p%2Fw@db:5432/shop?sslmode=require"),
        ("postgresql+psycopg://u@db/shop", "postgresql+psycopg://u@db/shop"),
        ("sqlite:////data/shop.db", "sqlite:////data/shop.db"),
        (
            '{"conn_type": "mongodb", "login": "u", "password": "p@w", "host": "a:27017,b:27017", "schema": "catalog"}',
            "mongodb://u:p%40w@a:27017,b:27017/catalog",
        ),
    ],
)
def test_a_connection_gives_the_url_that_it_was_made_of(airflow: Airflow, connection: str, url: str) -> None:
    names = ["DATAFLOW_ORDERS_DB_URL"]
    assert airflow.settings(names, {"AIRFLOW_CONN_DATAFLOW_ORDERS_DB": connection}) == {names[0]: url}
