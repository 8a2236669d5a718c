"""`dataflow process`: watched over HTTP, through an outage."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.acceptance.home import until
from tests.acceptance.watched import Database, started


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("database") / "home")
    yield database
    database.home.close()


def test_a_process_tells_how_far_it_is_and_outlives_its_database(database: Database) -> None:
    database.generate()
    database.home.do("consume", "--once")
    settings = {"database_url": database.url, "processes": "enrichment, fulfilment"}
    with started(database.home, "process", **settings) as process:
        until(process.is_ready, "it does not get ready")
        head = database.home.json("status")["log_position"]
        for name in ("fulfilment", "enrichment"):
            until(
                lambda name=name: process.figures().get(f"dataflow_process_{name}_position", 0) >= head,  # type: ignore[misc]
                "it does not reach the end",
            )
        found = process.figures()
        assert found["dataflow_process_fulfilment_behind_positions"] == 0
        assert found["dataflow_process_cases fulfilment parked"] == 0
        assert found["dataflow_process_events_total"] > 0
        busy = database.home.refusal("process", "fulfilment", "--once", database_url=database.url)
        assert "uses this data already" in busy
        database.crash()
        until(process.is_away, "it takes a database that is gone for one that answers")
        database.restart()
        until(process.is_ready, "it does not go on")
        process.stop()
    assert database.home.json("status")["fulfilment_parked"] == 0
    said = database.home.do("process", "fulfilment", "--once", database_url=database.url)
    read = re.fullmatch(r"nothing to decide for fulfilment \(([\d,]+) events read for what is in stock\)\n", said)
    assert read is not None, said
    assert int(read[1].replace(",", "")) > 0
    assert database.home.do("process", "enrichment", "--once", database_url=database.url) == (
        "nothing to decide for enrichment\n"
    )
