"""The reorder list of a day: how much to order, as it was set by then."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from application import codec
from application.codec import Metadata, decoders, encode
from application.daily.stock_list import reorder_list
from application.ports.analytics import Analytics, Evidence, Measured, Member
from application.ports.event_store import Batch, NewEvent
from application.queries.definitions import Dimension
from application.upcasting import Upcast
from domain.inventory.events import ReorderPointSet
from domain.shared.record import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STREAM = "inventory-tea@hamburg"
COLUMNS = {"product_id": "tea", "location_id": "hamburg", "on_hand": 2, "available": 2, "reorder_point": 5}


@record
class ReorderPointSetBefore:
    """As it might have been written before there was a quantity for each location."""

    occurred_at: datetime
    quantity: int


def today(old: ReorderPointSetBefore) -> ReorderPointSet:
    return ReorderPointSet(
        occurred_at=old.occurred_at,
        product_id="tea",
        location_id="hamburg",
        reorder_point=5,
        reorder_quantity=old.quantity,
    )


class OneStock:
    """Analytics that know one stock to order for."""

    def __init__(self, **names: str) -> None:
        """Know names of the catalog by the dimension."""
        self.names = names

    def measure(self, _: Any, by: Dimension | None, *__: Any) -> list[Measured]:
        key = by and COLUMNS[f"{by.name}_id"]
        return [Measured(Member(key and str(key), by and self.names.get(by.name)), {"below_reorder_point": 1})]

    def evidence(self, *_: Any) -> list[Evidence]:
        return [Evidence(STREAM, 1, 1, COLUMNS)]


def test_a_quantity_counts_in_whatever_version_of_its_event_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    made = decoders(
        {ReorderPointSet.TOPIC: ReorderPointSet}, [Upcast("ReorderPointSet.v0", ReorderPointSetBefore, today)]
    )
    monkeypatch.setattr(codec, "_DATA", made.data)
    store, old = MemoryEventStore(MemoryDatabase()), ReorderPointSetBefore(occurred_at=NOON, quantity=20)
    metadata = Metadata(NOON, "message", "message", "test")
    store.append(Batch(events=[NewEvent(STREAM, 1, "ReorderPointSet.v0", encode(old, metadata))]))
    section = reorder_list(cast(Analytics, OneStock()), store, date(2026, 1, 2), 1)
    assert [cell.value for cell in section.rows[0]] == ["tea", "hamburg", "2", "2", "5", "20"]


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ({}, ["tea", "hamburg"]),
        ({"product": "Green tea", "location": "Hamburg"}, ["Green tea (tea)", "Hamburg (hamburg)"]),
        ({"product": "tea", "location": "Hamburg"}, ["tea", "Hamburg (hamburg)"]),
    ],
    ids=["not in the catalog", "both named", "named as its id"],
)
def test_a_stock_is_called_by_its_names_with_the_ids(names: dict[str, str], called: list[str]) -> None:
    stock = cast(Analytics, OneStock(**names))
    section = reorder_list(stock, MemoryEventStore(MemoryDatabase()), date(2026, 1, 2), 1)
    assert [cell.value for cell in section.rows[0][:2]] == called
