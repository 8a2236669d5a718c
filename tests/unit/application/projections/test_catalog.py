from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.projections.catalog import BEGINNING, SUBJECTS, surrogate_key
from application.projections.subject import Subject
from domain.catalog import events
from tests.unit.application.projections.stream import rebuilt, recorded, rows_of, utc

PRODUCTS = next(subject for subject in SUBJECTS if subject.name == "products")
DAY = {n: utc(f"2024-03-{n:02}") for n in range(1, 28)}


def product(event: type, day: int, price: str = "1") -> Any:
    return event(occurred_at=DAY[day], product_id="p1", name="Chai", unit_price=Decimal(price))


def retired(day: int) -> events.ProductRetired:
    return events.ProductRetired(occurred_at=DAY[day], product_id="p1")


def versions(*stream: Any) -> list[Any]:
    return rows_of(PRODUCTS, "product-p1", *stream)["product_versions"]


def validities(rows: list[Any]) -> list[tuple[int, datetime, datetime | None, bool]]:
    return [(row.version, row.valid_from, row.valid_to, row.is_current) for row in rows]


def test_the_first_version_is_valid_for_all_earlier_facts() -> None:
    (row,) = versions(product(events.ProductRegistered, 5, "18.00"))
    assert (row.product_id, row.name, row.unit_price, row.retired) == ("p1", "Chai", Decimal("18.00"), False)
    assert validities([row]) == [(1, BEGINNING, None, True)]
    assert row.effective_at == DAY[5]


def test_a_revision_ends_the_version_before_it() -> None:
    rows = versions(product(events.ProductRegistered, 5), product(events.ProductRevised, 9, "2"))
    assert validities(rows) == [(1, BEGINNING, DAY[9], False), (2, DAY[9], None, True)]
    assert [(row.first_position, row.last_position) for row in rows] == [(101, 102), (102, 102)]


def test_a_revision_dated_back_takes_its_place_between_versions() -> None:
    rows = versions(
        product(events.ProductRegistered, 5),
        product(events.ProductRevised, 15),
        product(events.ProductRevised, 9),
    )
    assert validities(rows) == [
        (1, BEGINNING, DAY[9], False),
        (3, DAY[9], DAY[15], False),
        (2, DAY[15], None, True),
    ]
    assert not any(row.retired for row in rows)


def test_a_revision_dated_before_the_registration_becomes_the_first_version() -> None:
    rows = versions(product(events.ProductRegistered, 5), product(events.ProductRevised, 2))
    assert validities(rows) == [(2, BEGINNING, DAY[5], False), (1, DAY[5], None, True)]
    assert [row.last_position for row in rows] == [102, 102]


def test_a_retired_product_keeps_its_attributes_and_its_history() -> None:
    rows = versions(product(events.ProductRegistered, 5, "18.00"), retired(9))
    assert [(row.retired, row.unit_price) for row in rows] == [
        (False, Decimal("18.00")),
        (True, Decimal("18.00")),
    ]
    assert validities(rows)[-1] == (2, DAY[9], None, True)


def test_a_retirement_dated_back_retires_the_versions_after_it() -> None:
    rows = versions(product(events.ProductRegistered, 5, "1"), product(events.ProductRevised, 9, "2"), retired(7))
    assert [(row.version, row.retired, row.unit_price) for row in rows] == [
        (1, False, Decimal(1)),
        (3, True, Decimal(1)),
        (2, True, Decimal(2)),
    ]


def test_a_key_depends_on_entry_start_and_number_alone() -> None:
    alone = versions(product(events.ProductRegistered, 5))
    revised = versions(product(events.ProductRegistered, 5), product(events.ProductRevised, 2))
    assert alone[0].product_key == revised[1].product_key == surrogate_key("product-p1", DAY[5], 1)
    keys = {
        surrogate_key("product-p1", DAY[5], 1),
        surrogate_key("product-p2", DAY[5], 1),
        surrogate_key("product-p1", DAY[5], 2),
        surrogate_key("product-p1", DAY[6], 2),
        surrogate_key("product-p1", DAY[5], 3),
    }
    assert len(keys) == 5
    assert all(0 < key < 2**63 for key in keys)
    assert surrogate_key("product-p1", utc("2024-03-05"), 2) == 4433512644224977622


def test_the_first_version_takes_the_key_that_facts_already_have() -> None:
    assert surrogate_key("product-p1", DAY[5], 1) == surrogate_key("product-p1", DAY[6], 1)


@given(st.lists(st.integers(1, 27), min_size=1, max_size=8))
def test_validities_leave_no_gap_and_never_overlap(days: list[int]) -> None:
    first, *rest = days
    stream = [product(events.ProductRegistered, first), *(product(events.ProductRevised, d) for d in rest)]
    rows = rebuilt(PRODUCTS, recorded("product-p1", *stream))["product_versions"]
    assert rows[0].valid_from == BEGINNING
    assert [row.is_current for row in rows] == [False] * (len(rows) - 1) + [True]
    assert rows[-1].valid_to is None
    for earlier, later in pairwise(rows):
        assert earlier.valid_to == later.valid_from == later.effective_at


REGISTERED = {
    "products": events.ProductRegistered(occurred_at=DAY[1], product_id="x", name="X", category="Beverages"),
    "suppliers": events.SupplierRegistered(occurred_at=DAY[1], supplier_id="x", name="X", lead_time_days=7),
    "customers": events.CustomerRegistered(occurred_at=DAY[1], customer_id="x", name="X", segment="retail"),
    "carriers": events.CarrierRegistered(occurred_at=DAY[1], carrier_id="x", name="X", mode="road"),
    "locations": events.LocationRegistered(occurred_at=DAY[1], location_id="x", name="X", latitude=53.5),
}


@pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.name for subject in SUBJECTS])
def test_each_kind_keeps_all_its_attributes(subject: Subject) -> None:
    event = REGISTERED[subject.name]
    (table,) = subject.tables
    (row,) = rows_of(subject, f"{subject.prefix}x", event)[table.name]
    for name in (field.name for field in fields(event)):
        column = "effective_at" if name == "occurred_at" else name
        assert getattr(row, column) == getattr(event, name)
    assert table.columns[0] == "stream_id"
    assert table.columns[-2:] == ("first_position", "last_position")
