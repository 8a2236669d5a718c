"""What a scheduler extracts: the sources that are set, files of the day that is run, a database; again without harm."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from entrypoints.settings import SettingsError
from entrypoints.tasks import sources
from tests.integration.test_daily_report import url_of

COUNT = """\
SELECT sku AS product_id, 'main' AS location_id, DATE '2024-03-01' AS occurred_at, qty AS counted{more}
FROM stock
"""


@pytest.fixture(autouse=True)
def platform_of_its_own(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(conninfo))


def mapping(folder: Path, header: str, more: str = "") -> Path:
    folder.mkdir()
    (folder / "mapping.toml").write_text(header)
    (folder / "10_CountStock.sql").write_text(COUNT.format(more=more))
    return folder


def test_nothing_is_extracted_where_nothing_is_set() -> None:
    assert sources.sources() == []


def test_files_of_the_day_are_taken_in_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = 'name = "feed"\nzone = "UTC"\n[files.stock]\npath = "stock.csv"\ntypes = { qty = "INTEGER" }\n'
    monkeypatch.setenv("DATAFLOW_LANDING", str(tmp_path / "{day}"))
    with pytest.raises(SettingsError, match="DATAFLOW_LANDING_MAPPING"):
        sources.sources()
    monkeypatch.setenv("DATAFLOW_LANDING_MAPPING", str(mapping(tmp_path / "mapping", header, ", _file, _line")))
    assert sources.sources() == ["files"]
    (tmp_path / "2026-01-20").mkdir()
    (tmp_path / "2026-01-20" / "stock.csv").write_text("sku,qty\nP1,5\nP2,7\n")
    assert sources.extract("files", "2026-01-20")["published"] == 2
    assert sources.extract("files", "2026-01-21") == {
        "source": "files",
        "published": 0,
        "folder": str(tmp_path / "2026-01-21"),
        "there": False,
    }
    assert sources.extract("files", "2026-01-20")["published"] == 2
    taken = sources.take_in()
    assert (taken["received"], taken["applied"], taken["duplicate"]) == (4, 2, 2)
    assert taken["position"] > 0


def test_a_database_gives_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, qty INTEGER)")
        connection.execute("INSERT INTO stock VALUES ('P1', 5), ('P2', 7)")
        connection.commit()
    header = 'name = "shop"\nzone = "UTC"\n[tables.stock]\nkey = ["sku"]\ntypes = { qty = "INTEGER" }\n'
    monkeypatch.setenv("DATAFLOW_ORDERS_DB_URL", f"sqlite:///{tmp_path}/shop.db")
    monkeypatch.setenv("DATAFLOW_ORDERS_DB_MAPPING", str(mapping(tmp_path / "mapping", header, ", _file, _line")))
    assert sources.sources() == ["orders-db"]
    sources.extract("orders-db", "2026-01-20")
    assert sources.take_in()["applied"] == 2
    sources.extract("orders-db", "2026-01-20")
    assert sources.take_in()["received"] == 2
