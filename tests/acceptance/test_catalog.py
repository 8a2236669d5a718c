"""`dataflow catalog` and `dataflow ingest catalog` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.home import Home, ended, until

TEA = {"_id": "A", "name": "Assam", "category": "Tea", "supplier_id": "S", "unit_price": 4.5, "currency": "EUR"}
CHAI = TEA | {"_id": "C", "name": "Chai"}


def _file(folder: Path, content: object) -> Path:
    file = folder / "catalog.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_documents_are_loaded_and_followed_until_stopped(home: Home, tmp_path: Path) -> None:
    home.keep_server()
    assert home.do("catalog", "load", _file(tmp_path, {"products": [TEA, CHAI]})).startswith("2 documents changed")
    assert home.json("catalog", "list") == {"products": [TEA, CHAI]}
    following = home.start("ingest", "catalog", "--follow", "--every", 0.1)
    with home.connect() as connection:
        sent = "SELECT count(*) FROM stream.messages WHERE topic = 'catalog'"
        until(lambda: connection.execute(sent).fetchone() == (2,), "what is there is not taken in")
        home.do("catalog", "load", "--replace", _file(tmp_path, {"products": [TEA | {"unit_price": 5}]}))
        until(lambda: connection.execute(sent).fetchone() == (4,), "what changes is not taken in")
    following.terminate()
    done = ended(following)
    assert done.returncode == 0
    assert "2 documents changed, 2 messages" in done.stdout
    assert "no stream of changes: all its documents are compared" in done.stderr
    taken = home.json("ingest", "catalog")
    assert taken == {
        "documents_read": 1,
        "documents_changed": 0,
        "messages": 0,
        "received": 4,
        "applied": 4,
        "duplicate": 0,
        "quarantined": 0,
    }
    assert [event["topic"] for event in home.json("events", "product-A")] == [
        "ProductRegistered.v1",
        "ProductRevised.v1",
    ]
    assert home.json("events", "product-C")[-1]["topic"] == "ProductRetired.v1"


def test_followed_between_structured_logs_it_writes_nothing_else(home: Home, tmp_path: Path) -> None:
    home.keep_server().do("catalog", "load", _file(tmp_path, {"products": [TEA, CHAI]}))
    following = home.start("ingest", "catalog", "--follow", "--every", 0.1, log_format="json")
    with home.connect() as connection:
        sent = "SELECT count(*) FROM stream.messages WHERE topic = 'catalog'"
        until(lambda: connection.execute(sent).fetchone() == (2,), "what is there is not taken in")
        home.do("catalog", "load", "--replace", _file(tmp_path, {"products": []}))
    assert following.stderr is not None
    lines = []
    while "it is tried again in 0.1 s" not in (lines or [""])[-1]:
        lines.append(following.stderr.readline())
        assert lines[-1], lines
    following.terminate()
    done = ended(following)
    assert (done.returncode, done.stdout) == (0, "")
    logged = [json.loads(line) for line in [*lines, *done.stderr.splitlines()]]
    said = [(line["level"], line["message"]) for line in logged]
    assert said[:3] == [
        ("info", "the catalog has no stream of changes: all its documents are compared"),
        ("info", "2 documents changed, 2 messages"),
        (
            "warning",
            "products: all documents are gone; is it the right catalog? If they were deleted, run again with"
            " --accept-deletes; it is tried again in 0.1 s",
        ),
    ]
    assert {*said[3:]} <= {said[2]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "catalog.json: Expected `object`, got `array`"),
        ('{"products": [{"_id": 1, "name": "a\\u0000"}]}', "products 1 can't be kept: unsupported Unicode escape"),
    ],
)
def test_a_file_that_cant_be_kept_is_said_in_one_line(shop: Home, tmp_path: Path, content: object, said: str) -> None:
    assert said in shop.refusal("catalog", "load", _file(tmp_path, content))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://host/db", "must begin with mongodb:// or mongodb+srv://"),
        ("mongodb://ann:s3cr3t@127.0.0.1:9/catalog?serverSelectionTimeoutMS=100", "the catalog does not answer"),
    ],
)
def test_a_catalog_that_cant_be_reached_is_said_in_one_line(shop: Home, url: str, said: str) -> None:
    refused = shop.refusal("ingest", "catalog", "--url", url)
    assert said in refused
    assert "s3cr3t" not in refused
