"""Every load ends with the checks of the data: kept, and told where one fails; its exit code stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.home import Home, beside_progress

SPOIL = "UPDATE gold.dim_product SET is_current = false WHERE product_id = 'tea'"
FAILED = "unique gold.dim_product current"
LINE = rf"note: \d+ checks: 1 errors, \d+ warnings: {FAILED}.*; `dataflow quality` shows the rows"


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A data folder with one product, of which gold has lost the current version."""
    folder = tmp_path_factory.mktemp("depot")
    with closing(Home(folder / "home").keep_server()) as home:
        done = home.run("ingest", "messages", _registered(folder, 1, "tea"), "--json")
        assert (done.returncode, beside_progress(done)) == (0, []), "nothing is said where nothing fails"
        checked = _checked(home)
        assert (checked["quality_errors"], checked["quality_warnings"]) == ([], [])
        with home.connect() as connection:
            connection.execute(SPOIL)
        yield home


def _registered(folder: Path, number: int, product: str) -> Path:
    """Return a file of one message: a product."""
    message = {"specversion": "1.0", "id": str(number), "source": "test", "type": "dataflow.RegisterProduct.v1"}
    data = {"product_id": product, "name": product, "occurred_at": "2026-01-20T12:00:00Z"}
    file = folder / "catalog.ndjson"
    file.write_text(json.dumps({**message, "data": data}) + "\n")
    return file


def _checked(home: Home) -> dict[str, Any]:
    return {name: value for name, value in home.json("status").items() if name.startswith("quality_")}


def test_a_load_tells_what_fails_beside_its_json_and_its_exit_code_stays(depot: Home, tmp_path: Path) -> None:
    done = depot.run("ingest", "messages", _registered(tmp_path, 2, "nut"), "--json")
    assert (done.returncode, json.loads(done.stdout)["applied"]) == (0, 1)
    (line,) = beside_progress(done)
    assert re.fullmatch(LINE, line), line
    assert FAILED in _checked(depot)["quality_errors"]


def test_project_once_tells_what_fails(depot: Home, tmp_path: Path) -> None:
    _publish_and_take_in(depot, tmp_path)
    done = depot.run("project", "--once")
    assert done.returncode == 0
    (line,) = beside_progress(done)
    assert re.fullmatch(LINE, line), line


def test_between_structured_logs_it_is_one_of_them(depot: Home, tmp_path: Path) -> None:
    _publish_and_take_in(depot, tmp_path)
    done = depot.run("project", "--once", log_format="json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    (told,) = (line for line in lines if line["level"] == "warning")
    assert FAILED in told["message"]


def test_nothing_is_checked_where_nothing_came(depot: Home, tmp_path: Path) -> None:
    file = _registered(tmp_path, 20, "rye")
    depot.do("ingest", "messages", file)
    before = _checked(depot)
    for again in (("ingest", "messages", file), ("project", "--once")):
        assert beside_progress(depot.run(*again)) == []
    assert _checked(depot) == before
    assert before["quality_checked_at"] is not None


def _publish_and_take_in(home: Home, folder: Path) -> None:
    home.do("generate", "--orders", 0, "--days", 1, "--run", folder.name[-20:], "--start", "2026-01-20")
    home.do("consume", "--once")
