"""KPIs worked out from raw events in plain Python: no projection, no SQL, no event class of the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import psycopg

NAMES = (
    "orders",
    "order_lines",
    "units",
    "gross",
    "net",
    "freight",
    "orders_shipped",
    "orders_late",
    "units_shipped",
    "units_delivered",
    "units_cancelled",
    "units_returned",
    "units_backordered",
    "shipments",
    "shipments_dispatched",
    "shipments_delivered",
    "shipments_late",
    "shipment_exceptions",
    "failed_attempts",
    "stock_units",
    "stock_available",
    "units_received",
    "units_scrapped",
    "units_corrected",
)


class Raw(NamedTuple):
    """An event as it stands in the log."""

    position: int
    stream_id: str
    kind: str
    data: dict[str, Any]


def read_raw(conninfo: str) -> list[Raw]:
    """Read the whole log in its order."""
    query = "SELECT notification_id, originator_id, topic, state FROM events.stored_events ORDER BY 1"
    with psycopg.connect(conninfo) as connection:
        return [
            Raw(position, stream_id, topic.partition(".")[0], msgspec.json.decode(state)["data"])
            for position, stream_id, topic, state in connection.execute(query)
        ]


def figures(events: Iterable[Raw]) -> dict[str, int | Decimal]:
    """Return the KPIs that follow from events."""
    fold = _Fold()
    for event in events:
        fold.take(event)
    return fold.result()


class _Fold:
    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self.money = dict.fromkeys(("gross", "net", "freight"), Decimal(0))
        self.prices: dict[tuple[str, int], tuple[Decimal, Decimal]] = {}
        self.waiting: dict[tuple[str, int], int] = {}
        self.requested: dict[str, date | None] = {}
        self.last_left: dict[str, date] = {}
        self.planned: dict[str, datetime | None] = {}
        self.voided: set[str] = set()
        self.dispatched: set[str] = set()
        self.delivered: dict[str, datetime] = {}
        self.levels: dict[str, tuple[int, int]] = {}

    def take(self, event: Raw) -> None:
        data, kind = event.data, event.kind
        if event.stream_id.startswith("order-"):
            self._order(event.stream_id, kind, data)
        elif event.stream_id.startswith("shipment-"):
            self._shipment(event.stream_id, kind, data)
        elif event.stream_id.startswith("inventory-"):
            self._stock(event.stream_id, kind, data)

    def _order(self, order: str, kind: str, data: dict[str, Any]) -> None:
        counted = {
            "OrderLineShipped": "units_shipped",
            "OrderLineDelivered": "units_delivered",
            "OrderLineCancelled": "units_cancelled",
            "OrderLineReturned": "units_returned",
        }
        if kind == "OrderPlaced":
            self._placed(order, data)
        elif kind == "OrderLinesAdded":
            self._listed(order, data)
        elif kind == "OrderLinesIncreased":
            for line in data["lines"]:
                self._ordered(order, line)
        elif kind == "RequestedDateRevised":
            self.requested[order] = _day(data["requested_date"])
        elif kind in counted:
            self.total[counted[kind]] += data["quantity"]
        if kind == "OrderLineShipped":
            day = _time(data["occurred_at"]).date()
            self.last_left[order] = max(self.last_left.get(order, day), day)
        if "backordered" in data:
            self.waiting[order, data["line_no"]] = data["backordered"]

    def _placed(self, order: str, data: dict[str, Any]) -> None:
        self.total["orders"] += 1
        self.requested[order] = _day(data["requested_date"])
        self.money["freight"] += Decimal(data["freight"])
        self._listed(order, data)

    def _listed(self, order: str, data: dict[str, Any]) -> None:
        for line in data["lines"]:
            price, paid = Decimal(line["unit_price"]), 1 - Decimal(line["discount"])
            self.prices[order, line["line_no"]] = price, paid
            self.total["order_lines"] += 1
            self._ordered(order, line)

    def _ordered(self, order: str, line: dict[str, Any]) -> None:
        price, paid = self.prices[order, line["line_no"]]
        self.total["units"] += line["quantity"]
        self.money["gross"] += line["quantity"] * price
        self.money["net"] += line["quantity"] * price * paid

    def _shipment(self, shipment: str, kind: str, data: dict[str, Any]) -> None:
        if kind == "ShipmentPlanned":
            planned = data["planned_delivery_at"]
            self.planned[shipment] = None if planned is None else _time(planned)
        elif kind == "ShipmentVoided":
            self.voided.add(shipment)
        elif kind == "ShipmentDispatched":
            self.dispatched.add(shipment)
        elif kind == "ShipmentDelivered":
            self.delivered[shipment] = _time(data["occurred_at"])
        elif kind == "ShipmentExceptionRaised":
            self.total["shipment_exceptions"] += 1
        elif kind == "DeliveryAttempted":
            self.total["failed_attempts"] += 1

    def _stock(self, stock: str, kind: str, data: dict[str, Any]) -> None:
        if "on_hand" in data:
            on_hand = data["on_hand"]
            self.levels[stock] = (on_hand, on_hand - data["reserved"] - data["quarantined"])
        if kind == "StockReceived":
            self.total["units_received"] += data["quantity"]
        elif kind == "StockScrapped":
            self.total["units_scrapped"] += data["quantity"]
        elif kind in {"StockCounted", "StockAdjusted"}:
            self.total["units_corrected"] += data["delta"]

    def result(self) -> dict[str, int | Decimal]:
        late = [
            order
            for order, day in self.last_left.items()
            if self.requested[order] is not None and day > self.requested[order]  # type: ignore[operator]
        ]
        delivered_late = [
            shipment
            for shipment, at in self.delivered.items()
            if self.planned[shipment] is not None and at > self.planned[shipment]  # type: ignore[operator]
        ]
        known: dict[str, int | Decimal] = {
            **{name: self.total[name] for name in NAMES},
            **self.money,
            "orders_shipped": len(self.last_left),
            "orders_late": len(late),
            "units_backordered": sum(self.waiting.values()),
            "shipments": len(self.planned.keys() - self.voided),
            "shipments_dispatched": len(self.dispatched),
            "shipments_delivered": len(self.delivered),
            "shipments_late": len(delivered_late),
            "stock_units": sum(on_hand for on_hand, _ in self.levels.values()),
            "stock_available": sum(available for _, available in self.levels.values()),
        }
        return known


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
