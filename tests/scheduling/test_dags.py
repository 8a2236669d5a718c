"""The DAGs on the embedded default: as drawn, run to success, twice, out of order, and into failures."""

from __future__ import annotations

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

LAST = date(2026, 1, 24)


class Shop:
    """A data folder with a past of twenty days, which DAGs are run on."""

    def __init__(self, home: Home, airflow: Airflow, artefacts: Path) -> None:
        self.home = home
        self.artefacts = artefacts
        self._airflow = airflow
        self._environment = {"DATAFLOW_HOME": str(home.folder), "DATAFLOW_ARTEFACTS": str(artefacts)}

    def run(self, dag: str, **params: object) -> dict[str, Any]:
        return self._airflow.run(dag, self._environment, **params)

    def day(self, day: date) -> dict[str, Any]:
        return self.run("daily_supply_chain", day=f"{day}")

    def execute(self, statement: str) -> None:
        with self.home.connect() as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, airflow: Airflow) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with closing(Home(folder / "home").keep_server()) as home:
        home.do("generate", "--orders", 30, "--days", 20, "--seed", 5, "--start", "2026-01-05")
        yield Shop(home, airflow, folder / "artefacts")


def failed(run: dict[str, Any]) -> list[str]:
    return [task for task, _, state in run["tasks"] if state == "failed"]


def test_every_task_retries_within_limits_and_tells_when_it_fails(airflow: Airflow) -> None:
    for name, dag in airflow.dags.items():
        assert dag["seconds"] < 1, name
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


def test_a_day_is_run_to_its_report_and_again_with_equal_digests(shop: Shop) -> None:
    first = shop.day(LAST)
    assert first["state"] == "success"
    returned = first["returned"]
    position = returned["fix_position.-1"]["position"]
    assert returned["load.-1"]["position"] == position == returned["transform.-1"]["position"] > 0
    assert first["assets"] == {
        "dataflow://platform/bronze": {"position": position},
        "dataflow://platform/silver": {"day": f"{LAST}", "position": position},
        "dataflow://platform/gold": {"day": f"{LAST}", "position": position},
    }
    files = [Path(file) for file in returned["report.-1"]["files"]]
    pages = [file.read_bytes() for file in files]
    assert files[0].parent == shop.artefacts / "reports"
    again = shop.day(LAST)
    assert again["returned"]["load.-1"] == returned["load.-1"]
    assert [file.read_bytes() for file in files] == pages
    assert shop.home.do("report", "--date", LAST) == files[0].read_text()


@pytest.mark.skipif(not SOAK, reason="the same days, without Airflow, are run in test_daily_report.py")
def test_a_backfill_out_of_order_equals_the_days_in_order(shop: Shop) -> None:
    days = [LAST - timedelta(days=back) for back in range(10)]
    shop.execute("DELETE FROM runs.days")
    out_of_order = {day: shop.day(day)["returned"]["load.-1"] for day in [*days[1::2], *days[::2]]}
    shop.execute("DELETE FROM runs.days")
    assert {day: shop.day(day)["returned"]["load.-1"] for day in sorted(days)} == out_of_order


def test_a_rebuild_in_shards_is_certified_and_put_in_place(shop: Shop) -> None:
    run = shop.run("rebuild_projections", shards=3)
    assert run["state"] == "success"
    proof = run["returned"]["certify.-1"]
    assert len([task for task, number, _ in run["tasks"] if task == "load_shard" and number >= 0]) == 3
    assert proof["equal"] is True
    assert run["assets"]["dataflow://platform/gold"] == {"position": proof["position"]}
    assert Path(proof["file"]).is_file()
    assert shop.home.json("certificates", "list")[0]["swapped"] is True
    assert shop.run("verify_sample", streams=50)["state"] == "success"


def test_a_failed_certificate_fails_the_run_and_leaves_the_live_star(shop: Shop) -> None:
    shop.execute("UPDATE gold.fact_shipment SET exceptions = exceptions + 1")
    figures = shop.home.json("kpi", "shipment_exceptions")
    refused = shop.run("rebuild_projections", shards=2)
    assert failed(refused) == ["certify"]
    assert shop.home.json("certificates", "list")[0]["swapped"] is False
    assert shop.home.json("kpi", "shipment_exceptions") == figures
    shop.execute("UPDATE gold.fact_shipment SET exceptions = exceptions - 1")


def test_a_failed_check_ends_the_day_before_its_report_and_tells_somebody(shop: Shop, airflow: Airflow) -> None:
    shop.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE line_no = 1")
    before = LAST - timedelta(days=1)
    run = shop.day(before)
    assert run["state"] == "failed"
    assert failed(run) == ["quality"]
    assert ["report", -1, "upstream_failed"] in run["tasks"]
    assert "reconciliation order lines" in airflow.log().rpartition("a task failed: ")[2]
    assert f"there is no report of {before}" in shop.home.refusal("report", "--date", before)
