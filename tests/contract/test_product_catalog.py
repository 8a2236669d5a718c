"""What every product catalog promises, held against each adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest
from psycopg_pool import ConnectionPool

from adapters.memory.product_catalog import MemoryCatalog
from adapters.mongo.product_catalog import MongoCatalog
from adapters.postgres.catalog import PostgresCatalog, UnusableDocumentError
from adapters.postgres.database import open_pool
from application.ports.product_catalog import CatalogUnavailableError, ProductCatalog
from application.sources.documents import kept_document
from tests.mongo_server import fresh_mongo

TEA = {
    "_id": "A",
    "name": "Żółta herbata",
    "unit_price": 4.5,
    "stock": 2**40,
    "sold": True,
    "note": None,
    "sizes": [1, "L", {"deep": [2.25]}],
}


class Kept(NamedTuple):
    """A catalog, and its owner's way to write into it."""

    catalog: ProductCatalog
    put: Callable[[str, Mapping[str, Any]], object]
    remove: Callable[[str, Any], object]
    streams: bool


def _in_postgres(pool: ConnectionPool) -> Kept:
    def remove(collection: str, identifier: Any) -> None:
        key = msgspec.json.encode(identifier).decode()
        with pool.connection() as connection:
            connection.execute("DELETE FROM catalog.documents WHERE collection = %s AND key = %s", [collection, key])

    catalog = PostgresCatalog(pool)
    return Kept(catalog, lambda collection, fields: catalog.put(collection, [fields]), remove, streams=False)


@pytest.fixture(params=["memory", "postgres", "mongo"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        memory = MemoryCatalog()
        yield Kept(memory, memory.put, memory.remove, streams=True)
    elif request.param == "postgres":
        with open_pool(request.getfixturevalue("conninfo"), size=2) as pool:
            yield _in_postgres(pool)
    else:
        with fresh_mongo() as mongo, closing(MongoCatalog(mongo.url)) as catalog:

            def put(collection: str, fields: Mapping[str, Any]) -> None:
                mongo.owner[collection].replace_one({"_id": fields["_id"]}, fields, upsert=True)

            def remove(collection: str, identifier: Any) -> None:
                mongo.owner[collection].delete_one({"_id": identifier})

            hello = mongo.owner.client.admin.command("hello")
            yield Kept(catalog, put, remove, streams="setName" in hello or hello.get("msg") == "isdbgrid")


def _ids(catalog: ProductCatalog, collection: str, after: str | None = None) -> list[Any]:
    return [(each.fields or {})["_id"] for each in catalog.documents(collection, after)]


def test_an_empty_catalog_has_nothing(kept: Kept) -> None:
    assert kept.catalog.collections() == []
    assert list(kept.catalog.documents("products")) == []
    assert list(kept.catalog.keys("products")) == []


def test_documents_come_back_as_they_are(kept: Kept) -> None:
    kept.put("products", TEA)
    (document,) = kept.catalog.documents("products")
    assert document.collection == "products"
    assert document.fields == TEA
    assert [type(value) for value in kept_fields(document.fields).values()] == [
        type(value) for value in kept_fields(TEA).values()
    ]


def kept_fields(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """Fields by name in one order; where a catalog keeps decimals, they count as its numbers."""
    known = dict(sorted((fields or {}).items()))
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in known.items()}


def test_the_same_document_is_kept_alike_whatever_the_order_of_its_fields(kept: Kept) -> None:
    kept.put("products", TEA)
    (first,) = kept.catalog.documents("products")
    kept.put("products", dict(reversed(TEA.items())))
    (second,) = kept.catalog.documents("products")
    assert kept_document(first) == kept_document(second)


def test_documents_stand_in_their_collection(kept: Kept) -> None:
    for collection, identifier in [("suppliers", "S"), ("products", "B"), ("products", "A"), ("other", 7)]:
        kept.put(collection, {"_id": identifier, "name": "x"})
    assert kept.catalog.collections() == ["other", "products", "suppliers"]
    assert _ids(kept.catalog, "products") == ["A", "B"]
    assert sorted(kept.catalog.keys("products")) == ['"A"', '"B"']
    assert _ids(kept.catalog, "other") == [7]


def test_a_document_is_replaced_and_removed(kept: Kept) -> None:
    kept.put("products", {"_id": "A", "name": "Assam", "note": "old"})
    kept.put("products", {"_id": "A", "name": "Assam 2"})
    kept.put("products", {"_id": "B", "name": "Brazil"})
    assert [each.fields for each in kept.catalog.documents("products")] == [
        {"_id": "A", "name": "Assam 2"},
        {"_id": "B", "name": "Brazil"},
    ]
    kept.remove("products", "A")
    assert _ids(kept.catalog, "products") == ["B"]


def test_reading_goes_on_after_any_key_without_missing_one(kept: Kept) -> None:
    identifiers = ["A", 10, "b", 9, "Ż", 'q"uote', -1, "10"]
    for identifier in identifiers:
        kept.put("products", {"_id": identifier})
    documents = list(kept.catalog.documents("products"))
    assert {each.key for each in documents} == set(kept.catalog.keys("products"))
    assert len(documents) == len(identifiers)
    for number, document in enumerate(documents):
        left = {each.key for each in kept.catalog.documents("products", document.key)}
        assert left >= {each.key for each in documents[number + 1 :]}
        assert document.key not in left


def test_many_documents_are_read_a_part_at_a_time(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    for adapter in ("postgres.catalog", "mongo.product_catalog"):
        monkeypatch.setattr(f"adapters.{adapter}.AT_ONCE", 2)
    for number in range(7):
        kept.put("products", {"_id": number})
    assert _ids(kept.catalog, "products") == list(range(7))
    assert len(list(kept.catalog.keys("products"))) == 7


def test_changes_are_streamed_or_said_not_to_be(kept: Kept) -> None:
    with kept.catalog.changes() as changes:
        assert (changes is not None) is kept.streams
        if changes is None:
            return
        before = changes.token
        kept.put("products", {"_id": "A", "name": "Assam"})
        kept.put("suppliers", {"_id": "S"})
        kept.remove("products", "A")
        (_, supplier) = seen = changes.read(2, 5)
        assert [each.key for each in seen] == ['"A"', '"S"']
        assert supplier.fields == {"_id": "S"}
    with kept.catalog.changes(before) as again:
        assert again is not None
        assert [(each.collection, each.fields is None) for each in again.read(10, 5)] == [
            ("products", False),
            ("suppliers", False),
            ("products", True),
        ]
        assert again.read(10, 0) == []


def test_it_says_that_it_answers(kept: Kept) -> None:
    kept.catalog.probe()


def test_types_of_the_server_keep_their_meaning() -> None:
    with fresh_mongo() as mongo, closing(MongoCatalog(mongo.url)) as catalog:
        moment = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
        mongo.owner["products"].insert_one({"_id": "A", "at": moment, "bytes": b"\x00\xff"})
        (document,) = catalog.documents("products")
        assert document.fields == {
            "_id": "A",
            "at": moment,
            "bytes": {"$binary": {"base64": "AP8=", "subType": "00"}},
        }


@pytest.mark.parametrize("identified", [{"name": "x"}, {"_id": None}])
def test_a_document_that_jsonb_cant_keep_is_named(conninfo: str, identified: dict[str, Any]) -> None:
    with open_pool(conninfo, size=1) as pool:
        catalog = PostgresCatalog(pool)
        with pytest.raises(UnusableDocumentError, match="products: a document has no _id: "):
            catalog.put("products", [TEA, identified])
        with pytest.raises(UnusableDocumentError, match='products "B" can\'t be kept: '):
            catalog.put("products", [TEA, {"_id": "B", "name": "a\0"}])
        assert catalog.collections() == [], "all of them are kept, or none"


@pytest.mark.parametrize("port", [9, 1])
def test_a_server_that_is_away_is_said_in_one_line_without_the_password(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mongo.product_catalog.ANSWER_MS", 50)
    with closing(MongoCatalog(f"mongodb://ann:s3cr3t@127.0.0.1:{port}/catalog")) as catalog:
        with pytest.raises(CatalogUnavailableError) as away:
            catalog.probe()
        assert f"127.0.0.1:{port}" in str(away.value)
        assert "s3cr3t" not in str(away.value)
        assert "\n" not in str(away.value)


@pytest.mark.parametrize("url", ["mongodb://host:27017/", "mongodb://host:port/catalog", "mongodb://"])
def test_a_url_that_cant_be_used_is_refused(url: str) -> None:
    with pytest.raises(CatalogUnavailableError, match="the catalog's URL"):
        MongoCatalog(url)
