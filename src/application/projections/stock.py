"""Silver stock: the levels of each product at each location, every movement that led to them, and reorder points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from application.codec import Recorded
from application.event_shapes import by_event
from application.projections.subject import Rows, Subject
from application.projections.table import Table
from domain.inventory import events


@dataclass(slots=True)
class StockRow:
    """One row per product and location: levels in units; `last_moved_on` is the latest business day (UTC)."""

    stream_id: str
    product_id: str
    location_id: str
    on_hand: int = 0
    reserved: int = 0
    quarantined: int = 0
    reorder_point: int | None = None
    reorder_quantity: int | None = None
    reorder_reached_at: datetime | None = None
    last_counted_at: datetime | None = None
    last_moved_on: date | None = None
    rejected_reservations: int = 0
    reorder_set_at: datetime | None = None
    first_position: int = 0
    last_position: int = 0


class StockMovementRow(NamedTuple):
    """One row per event that changes or counts a level: what changed, in units, and the levels after it."""

    stream_id: str
    version: int
    product_id: str
    location_id: str
    moved_at: datetime
    moved_on: date
    kind: str
    delta_on_hand: int
    delta_reserved: int
    delta_quarantined: int
    on_hand: int
    reserved: int
    quarantined: int
    reason: str | None
    reservation_id: str | None
    shipment_id: str | None
    transfer_id: str | None
    order_id: str | None
    supplier_id: str | None
    ordered_at: datetime | None
    unit_cost: Decimal | None
    lost: int | None
    first_position: int
    last_position: int


class ReorderPointRow(NamedTuple):
    """One row per time that a stock's reorder point was set; it holds from `set_at` until the next one does."""

    stream_id: str
    set_at: datetime
    version: int
    reorder_point: int
    reorder_quantity: int
    first_position: int
    last_position: int


_movement_row: Callable[[tuple[Any, ...]], StockMovementRow] = partial(tuple.__new__, StockMovementRow)
"""Half the time of `StockMovementRow(...)`."""


@dataclass(slots=True)
class StockView:
    """A stock, its movements and the reorder points that were set since it was loaded."""

    stock: StockRow
    movements: list[StockMovementRow] = field(default_factory=list)
    reorder_points: list[ReorderPointRow] = field(default_factory=list)


def fold(view: StockView | None, recorded: Recorded) -> StockView:
    """Return the stock after one event; an event that was folded before changes nothing."""
    if view is None:
        view = StockView(_empty(recorded))
    elif recorded.position <= view.stock.last_position:
        return view
    event_type = type(recorded.event)
    movement = _MOVEMENTS.get(event_type)
    if movement is not None:
        _move(view, recorded, *movement)
    note = _NOTES.get(event_type)
    if note is not None:
        note(view, recorded)
    view.stock.last_position = recorded.position
    return view


def load(rows: Rows) -> StockView:
    """Return the view of a stock's row."""
    (stock,) = rows["stock"]
    return StockView(stock)


def rows_of(view: StockView) -> Mapping[str, Iterable[Any]]:
    """Return a stock's row, its new movements and reorder points."""
    return {"stock": (view.stock,), "stock_movements": view.movements, "reorder_points": view.reorder_points}


def _empty(recorded: Recorded) -> StockRow:
    return StockRow(
        stream_id=recorded.stream_id,
        product_id=recorded.event.product_id,
        location_id=recorded.event.location_id,
        first_position=recorded.position,
        last_position=recorded.position,
    )


def _move(view: StockView, recorded: Recorded, kind: str, details: Callable[[Any], tuple[Any, ...]]) -> None:
    position, stream_id, version, event = recorded
    stock, moved_at = view.stock, event.occurred_at
    on_hand, reserved, quarantined = event.on_hand, event.reserved, event.quarantined
    moved_on = moved_at.date() if moved_at.tzinfo is UTC else moved_at.astimezone(UTC).date()
    view.movements.append(
        _movement_row(
            (
                stream_id,
                version,
                stock.product_id,
                stock.location_id,
                moved_at,
                moved_on,
                kind,
                on_hand - stock.on_hand,
                reserved - stock.reserved,
                quarantined - stock.quarantined,
                on_hand,
                reserved,
                quarantined,
                *details(event),
                position,
                position,
            )
        )
    )
    stock.on_hand, stock.reserved, stock.quarantined = on_hand, reserved, quarantined
    if stock.last_moved_on is None or moved_on > stock.last_moved_on:
        stock.last_moved_on = moved_on


def _details(event: Any) -> tuple[Any, ...]:
    return tuple(getattr(event, name, None) for name in _DETAIL_NAMES)


def _reserved(event: events.StockReserved) -> tuple[Any, ...]:
    return None, event.reservation_id, None, None, None, None, None, None, None


def _shipped(event: events.StockShipped) -> tuple[Any, ...]:
    return None, event.reservation_id, event.shipment_id, None, None, None, None, None, None


def _reorder_point_set(view: StockView, recorded: Recorded) -> None:
    """Keep the point; the one that holds now is the latest in business time, of those at one time the last recorded."""
    position, stream_id, version, event = recorded
    at, point, quantity = event.occurred_at, event.reorder_point, event.reorder_quantity
    view.reorder_points.append(ReorderPointRow(stream_id, at, version, point, quantity, position, position))
    stock = view.stock
    if stock.reorder_set_at is None or at >= stock.reorder_set_at:
        stock.reorder_point, stock.reorder_quantity, stock.reorder_set_at = point, quantity, at


def _reorder_point_reached(view: StockView, recorded: Recorded) -> None:
    view.stock.reorder_reached_at = recorded.event.occurred_at


def _counted(view: StockView, recorded: Recorded) -> None:
    at = recorded.event.occurred_at
    if view.stock.last_counted_at is None or at > view.stock.last_counted_at:
        view.stock.last_counted_at = at


def _rejected(view: StockView, _: Recorded) -> None:
    view.stock.rejected_reservations += 1


_DETAIL_NAMES = (
    "reason",
    "reservation_id",
    "shipment_id",
    "transfer_id",
    "order_id",
    "supplier_id",
    "ordered_at",
    "unit_cost",
    "lost",
)
_KINDS: dict[type, str] = {
    events.StockReceived: "received",
    events.StockReserved: "reserved",
    events.ReservationReleased: "reservation_released",
    events.StockShipped: "shipped",
    events.StockTransferredOut: "transferred_out",
    events.StockTransferredIn: "transferred_in",
    events.StockCounted: "counted",
    events.StockAdjusted: "adjusted",
    events.StockQuarantined: "quarantined",
    events.StockReleasedFromQuarantine: "released_from_quarantine",
    events.StockScrapped: "scrapped",
    events.StockReturned: "returned",
}
_DETAILS: dict[str, Callable[[Any], tuple[Any, ...]]] = {"reserved": _reserved, "shipped": _shipped}
"""The most frequent events say which details they have; of the others each is looked for."""
_MOVEMENTS = by_event({event: (kind, _DETAILS.get(kind, _details)) for event, kind in _KINDS.items()})
_NOTES = by_event(
    {
        events.ReorderPointSet: _reorder_point_set,
        events.ReorderPointReached: _reorder_point_reached,
        events.StockCounted: _counted,
        events.ReservationRejected: _rejected,
    }
)

SUBJECT = Subject(
    name="stock",
    prefix="inventory-",
    tables=(
        Table("stock", StockRow, ("stream_id",)),
        Table(
            "stock_movements",
            StockMovementRow,
            # The order of business time, in which days are reckoned; versions are unique in their stream anyway.
            ("stream_id", "moved_at", "version"),
            append_only=True,
            indexes=(("first_position",),),
        ),
        Table(
            "reorder_points",
            ReorderPointRow,
            ("stream_id", "set_at", "version"),
            append_only=True,
            indexes=(("first_position",),),
        ),
    ),
    fold=fold,
    load=load,
    rows=rows_of,
)
