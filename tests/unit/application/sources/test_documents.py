"""What documents of the catalog say, and which are not believed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from application.ports.product_catalog import Document
from application.ports.row_mapping import MappedRow
from application.sources.documents import UNTOLD, CatalogDocuments, document_changes, kept_document
from domain.catalog.commands import (
    RegisterCarrier,
    RegisterLocation,
    RegisterProduct,
    RegisterSupplier,
    RetireProduct,
    ReviseProduct,
)

SEEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
CHANGED = datetime(2026, 5, 3, 8, tzinfo=UTC)
LATER = CHANGED + timedelta(hours=5)
TEA: dict[str, Any] = {
    "_id": "A",
    "name": "Assam",
    "category": "Tea",
    "supplier_id": "S",
    "unit_price": Decimal("4.50"),
    "currency": "EUR",
    "updated_at": CHANGED,
}
KNOWN: dict[str, Any] = {
    "product_id": "A",
    "name": "Assam",
    "category": "Tea",
    "supplier_id": "S",
    "unit_price": Decimal("4.50"),
    "currency": "EUR",
}
REGISTERED = RegisterProduct(**KNOWN, occurred_at=CHANGED)


def mapped(collection: str, *documents: Mapping[str, Any]) -> list[MappedRow]:
    rows = [kept_document(Document(collection, f'"{each["_id"]}"', each)) for each in documents]
    return list(CatalogDocuments([collection]).map(collection, rows))


def said(collection: str, document: Mapping[str, Any]) -> list[Any]:
    """Commands, and the details of what is rejected."""
    return [row.command if row.rejected is None else row.rejected.detail for row in mapped(collection, document)]


def asked(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Any]:
    were, are = (mapped("products", each) if each is not None else [] for each in (before, after))
    changed = document_changes(were, are, SEEN)
    return [row.command if row.rejected is None else row.rejected.detail for row in changed]


def test_each_collection_registers_its_entries() -> None:
    assert said("products", TEA) == [REGISTERED]
    supplier = {
        "_id": 7,
        "name": "Tokyo Traders",
        "country": "JP",
        "lead_time_days": 5.0,
        "latitude": 35,
        "longitude": 1,
    }
    expected = {"supplier_id": "7", "name": "Tokyo Traders", "country": "JP", "lead_time_days": 5}
    assert said("suppliers", supplier) == [
        RegisterSupplier(**expected, latitude=35.0, longitude=1.0, occurred_at=UNTOLD)  # type: ignore[arg-type]
    ]
    carrier = {"_id": {"$oid": "6b04863fd4df1211bc2658ee"}, "name": "Fast"}
    assert said("carriers", carrier) == [
        RegisterCarrier(carrier_id="6b04863fd4df1211bc2658ee", name="Fast", occurred_at=UNTOLD)
    ]
    location = {"_id": "main", "name": "Main", "country": None, "tags": ["dry"], "capacity": 12}
    assert said("locations", location) == [RegisterLocation(location_id="main", name="Main", occurred_at=UNTOLD)]


@pytest.mark.parametrize("moment", [CHANGED, "2026-05-03T08:00:00Z", "2026-05-03T10:00:00+02:00"])
def test_the_time_of_a_document_is_that_of_its_last_change(moment: Any) -> None:
    assert said("products", {**TEA, "updated_at": moment}) == [REGISTERED]


def test_a_document_without_a_time_changed_when_it_was_seen() -> None:
    timeless = {name: value for name, value in TEA.items() if name != "updated_at"}
    assert asked(None, timeless) == [RegisterProduct(**KNOWN, occurred_at=SEEN)]
    assert asked(timeless, {**timeless, "unit_price": 4, "updated_at": CHANGED}) == [
        ReviseProduct(**{**KNOWN, "unit_price": Decimal(4)}, occurred_at=CHANGED)
    ]
    assert asked(timeless, {**timeless, "retired": True}) == [RetireProduct(product_id="A", occurred_at=SEEN)]
    assert asked(timeless, {**TEA, "retired": True}) == [RetireProduct(product_id="A", occurred_at=CHANGED)]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"unit_price": "4.50"}, 'unit_price is the text "4.50"; it takes a number'),
        ({"name": {"en": "Assam"}}, 'name is an object: {"en":"Assam"}; it takes text'),
        ({"name": ["Assam"]}, 'name is a list: ["Assam"]; it takes text'),
        ({"name": 5}, "name is 5; it takes text"),
        ({"name": None}, "name is null; an entry must have a name"),
        ({"name": "  "}, "CatalogEntryWithoutName: An entry must have a name."),
        ({"name": "a\0b"}, 'name is the text "a\\u0000b"; it takes text'),
        ({"unit_price": True}, "unit_price is true; it takes a number"),
        (
            {"unit_price": {"$numberDouble": "NaN"}},
            'unit_price is an object: {"$numberDouble":"NaN"}; it takes a number',
        ),
        ({"unit_price": -1}, "InvalidAmount: "),
        ({"retired": "yes"}, 'retired is the text "yes"; it takes true or false'),
        ({"updated_at": "yesterday"}, 'updated_at is the text "yesterday"; it takes a time as in 2026-05-04T12:00:00Z'),
        ({"updated_at": 5}, "updated_at is 5; it takes a time"),
        ({"updated_at": "2026-05-03T08:00:00"}, 'updated_at is the text "2026-05-03T08:00:00", without an offset'),
        ({"updated_at": "1969-05-03T08:00:00Z"}, "updated_at 1969-05-03T08:00:00+00:00 is not within 1970 to 2069"),
        ({"_id": 1.5}, "_id is 1.5; it takes text or a whole number"),
        ({"_id": "A" * 201}, "_id is no identifier"),
    ],
)
def test_what_does_not_fit_is_rejected_by_collection_id_and_field(wrong: dict[str, Any], reason: str) -> None:
    (row,) = mapped("products", {**TEA, **wrong})
    assert row.rejected is not None
    assert row.rejected.code == "DocumentRejected"
    assert row.rejected.detail.startswith(f"products {wrong.get('_id', 'A')}: {reason}")
    assert '"category":"Tea"' in row.rejected.text
    assert row.topic == "catalog"


@pytest.mark.parametrize("lost", ["name", "category", "supplier_id", "unit_price", "currency"])
def test_a_missing_field_is_rejected_a_null_is_not(lost: str) -> None:
    (detail,) = said("products", {name: value for name, value in TEA.items() if name != lost})
    assert detail == f"products A: {lost} missing; null says that something is not known"
    if lost != "name":
        assert said("products", {**TEA, lost: None}) == [RegisterProduct(**{**KNOWN, lost: None}, occurred_at=CHANGED)]


def test_a_lead_time_takes_whole_days() -> None:
    (detail,) = said("suppliers", {"_id": "S", "name": "x", "country": "JP", "lead_time_days": 1.5})
    assert detail == "suppliers S: lead_time_days is 1.5; it takes a whole number"


def test_a_collection_that_is_none_of_a_catalog_is_rejected() -> None:
    (detail,) = said("clicks", TEA)
    assert detail.startswith("clicks A: clicks is no collection of a catalog; it has suppliers, carriers, ")


def test_what_changed_is_revised_at_its_own_time() -> None:
    cheaper = {**TEA, "unit_price": 4, "updated_at": LATER}
    revised = ReviseProduct(**{**KNOWN, "unit_price": Decimal(4)}, occurred_at=LATER)
    assert asked(TEA, cheaper) == [revised]
    assert asked(TEA, {**cheaper, "updated_at": CHANGED}) == [
        ReviseProduct(**{**KNOWN, "unit_price": Decimal(4)}, occurred_at=SEEN)
    ], "where the document's time did not move, the change was seen later"


@pytest.mark.parametrize("more", [{"updated_at": LATER}, {"views": 7}, {"unit_price": 4.5}])
def test_what_says_nothing_new_asks_for_nothing(more: dict[str, Any]) -> None:
    assert asked(TEA, {**TEA, **more}) == []


def test_a_retired_document_retires_its_entry_once() -> None:
    retired = {**TEA, "retired": True, "updated_at": LATER}
    assert asked(TEA, retired) == [RetireProduct(product_id="A", occurred_at=LATER)]
    assert asked(TEA, {**TEA, "retired": True}) == [RetireProduct(product_id="A", occurred_at=SEEN)]
    assert asked(None, retired) == [
        RegisterProduct(**KNOWN, occurred_at=LATER),
        RetireProduct(product_id="A", occurred_at=LATER),
    ]
    assert asked(retired, {**retired, "updated_at": SEEN}) == []
    assert asked(retired, None) == []


def test_a_document_that_is_gone_retires_its_entry_when_that_was_seen() -> None:
    assert asked(TEA, None) == [RetireProduct(product_id="A", occurred_at=SEEN)]


def test_a_last_change_comes_before_the_retirement() -> None:
    assert [type(command) for command in asked(TEA, {**TEA, "name": "Last", "retired": True, "updated_at": LATER})] == [
        ReviseProduct,
        RetireProduct,
    ]


@pytest.mark.parametrize("after", [TEA, {**TEA, "name": "Back"}, {**TEA, "name": "Other", "retired": True}])
def test_what_is_retired_changes_no_more(after: dict[str, Any]) -> None:
    assert asked({**TEA, "retired": True}, after) == [
        "products A: it changed, but was retired before; what is retired changes no more"
    ]
