"""An order's life: confirmed, reserved or back-ordered, shipped, delivered, closed, perhaps returned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Any

from application.simulation.orders import DAY, HANDLING_DAYS, OpenLine, OpenOrder, Reservation
from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings
from application.simulation.shipping import Shipping
from application.simulation.stockroom import Backorder, Stock, Stockroom
from application.simulation.transit import delivery_slot
from domain.order.commands import (
    AllocateOrderLines,
    BackorderOrderLines,
    CancelOrder,
    CancelOrderLines,
    CloseOrder,
    ConfirmOrder,
    HoldOrder,
    LineQuantity,
    OrderCommand,
    PlaceOrder,
    ReleaseAllocation,
    ReleaseOrder,
    ReturnOrderLines,
    RevisePromise,
)

CANCEL_REASONS = ("customer changed their mind", "ordered twice", "found cheaper elsewhere")
HOLD_REASONS = ("credit check", "address to be verified", "payment pending")
RETURN_REASONS = ("damaged", "wrong article", "not needed")
GAVE_UP = "waited too long"


class Ending(Enum):
    """How an order goes."""

    DELIVERED = auto()
    CANCELLED_AT_ONCE = auto()
    CANCELLED_RESERVED = auto()
    CANCELLED_PLANNED = auto()
    LINE_CANCELLED = auto()


class Fulfilment:
    """Runs orders through the house."""

    def __init__(self, settings: SimulationSettings, schedule: Schedule, stockroom: Stockroom) -> None:
        self._settings = settings
        self._schedule = schedule
        self._stockroom = stockroom
        self._chance = settings.random("fulfilment")
        self._shipping = Shipping(settings, schedule, stockroom)

    def life(self, order: OpenOrder, placed: PlaceOrder) -> Process:
        """Give out an order's commands, until its first shipment has arrived or it is cancelled."""
        self._emit(placed)
        ending = self._ending()
        yield self._after(0.1, 1.5)
        self._emit(ConfirmOrder(**self._of(order), promised_date=order.promised))
        if self._happens(self._settings.hold_share):
            yield from self._hold(order)
        yield self._after(0.1, 0.8)
        if ending is Ending.CANCELLED_AT_ONCE:
            self._cancel(order)
            return
        self._allocate(order)
        yield self._after(0.1, 1)
        complete = not any(line.backorder for line in order.lines.values())
        if complete and ending is Ending.CANCELLED_RESERVED:
            self._release(order, order.reserved)
            self._cancel(order)
            return
        if complete and ending is Ending.LINE_CANCELLED and len(order.lines) > 1:
            self._cancel_line(order)
        if order.reserved:
            reserved, order.reserved = order.reserved, []
            yield from self._send(
                order,
                reserved,
                delivery_slot(order.promised),
                void=complete and ending is Ending.CANCELLED_PLANNED,
            )

    def _ending(self) -> Ending:
        if not self._happens(self._settings.cancel_share):
            return Ending.DELIVERED
        return self._chance.choice(tuple(Ending)[1:])

    def _hold(self, order: OpenOrder) -> Process:
        yield self._after(0.1, 1)
        self._emit(HoldOrder(**self._of(order), reason=self._chance.choice(HOLD_REASONS)))
        yield self._after(2, 12)
        self._emit(ReleaseOrder(**self._of(order)))

    def _allocate(self, order: OpenOrder) -> None:
        for line in order.lines.values():
            stock = self._stock(order, line)
            units = min(line.quantity, stock.available)
            if units > 0:
                order.reserved.append(self._reserve(order, line, stock, units))
            if units < line.quantity:
                line.backorder = Backorder(line.quantity - units, partial(self._serve, order, line))
        self._emit_allocation(order, order.reserved)
        waiting = [line for line in order.lines.values() if line.backorder]
        if waiting:
            self._backorder(order, waiting)

    def _reserve(self, order: OpenOrder, line: OpenLine, stock: Stock, units: int) -> Reservation:
        line.reservations += 1
        name = f"{order.order_id}/{line.line_no}"
        if line.reservations > 1:
            name += f"/{line.reservations}"
        self._stockroom.reserve(stock, name, units, order.order_id)
        return Reservation(line.line_no, stock, name, units)

    def _emit_allocation(self, order: OpenOrder, reserved: Iterable[Reservation]) -> None:
        lines = tuple(LineQuantity(line_no=each.line_no, quantity=each.quantity) for each in reserved)
        if lines:
            location_id = order.customer.warehouse.location_id
            self._emit(AllocateOrderLines(**self._of(order), location_id=location_id, lines=lines))

    def _backorder(self, order: OpenOrder, waiting: list[OpenLine]) -> None:
        lines = tuple(
            LineQuantity(line_no=line.line_no, quantity=line.backorder.quantity) for line in waiting if line.backorder
        )
        self._emit(BackorderOrderLines(**self._of(order), lines=lines))
        lead_time = max(line.product.supplier.lead_time_days for line in waiting) * DAY
        promised = (self._schedule.now + lead_time + order.transit + HANDLING_DAYS * DAY).date()
        self._emit(RevisePromise(**self._of(order), promised_date=promised, reason="waiting for stock"))
        for line in waiting:
            if line.backorder:
                self._stock(order, line).backlog.append(line.backorder)
        self._schedule.start(self._patience(order, waiting))

    def _serve(self, order: OpenOrder, line: OpenLine, units: int) -> None:
        """Reserve and send units that arrived for a line that waits."""
        reservation = self._reserve(order, line, self._stock(order, line), units)
        self._emit_allocation(order, [reservation])
        planned = delivery_slot((self._schedule.now + order.transit + HANDLING_DAYS * DAY).date())
        self._schedule.start(self._send(order, [reservation], planned), self._after(0.1, 1))

    def _patience(self, order: OpenOrder, waiting: list[OpenLine]) -> Process:
        """Wait as long as the customer does, then cancel what has not come."""
        yield self._after(8 * 24, 25 * 24)
        lines = []
        for line in waiting:
            if line.backorder and line.backorder.quantity:
                lines.append(LineQuantity(line_no=line.line_no, quantity=line.backorder.quantity))
                line.backorder.quantity = 0
        if not lines:
            return
        cancelled = sum(line.quantity for line in lines)
        if cancelled == sum(line.quantity for line in order.lines.values()):
            self._emit(CancelOrder(**self._of(order), reason=GAVE_UP))
            return
        self._emit(CancelOrderLines(**self._of(order), lines=tuple(lines), reason=GAVE_UP))
        self._settle(order, cancelled)

    def _cancel(self, order: OpenOrder) -> None:
        self._emit(CancelOrder(**self._of(order), reason=self._chance.choice(CANCEL_REASONS)))

    def _cancel_line(self, order: OpenOrder) -> None:
        reservation = order.reserved.pop(self._chance.randrange(len(order.reserved)))
        reason = self._chance.choice(CANCEL_REASONS)
        lines = (LineQuantity(line_no=reservation.line_no, quantity=reservation.quantity),)
        self._release(order, [reservation])
        self._emit(ReleaseAllocation(**self._of(order), lines=lines, reason=reason))
        self._emit(CancelOrderLines(**self._of(order), lines=lines, reason=reason))
        order.outstanding -= reservation.quantity

    def _release(self, order: OpenOrder, reserved: Iterable[Reservation]) -> None:
        for each in reserved:
            self._stockroom.release(each.stock, each.reservation_id, each.quantity, "order cancelled", order.order_id)

    def _send(self, order: OpenOrder, reserved: list[Reservation], planned: datetime, *, void: bool = False) -> Process:
        shipment_id = self._shipping.plan(order, reserved, planned)
        yield self._after(0.5, 8)
        if void:
            self._shipping.void(order, shipment_id)
            self._release(order, reserved)
            self._cancel(order)
            return
        yield from self._shipping.send(order, shipment_id, reserved, planned)
        for each in reserved:
            order.lines[each.line_no].delivered += each.quantity
        self._settle(order, sum(each.quantity for each in reserved))

    def _settle(self, order: OpenOrder, units: int) -> None:
        """Count units as delivered or cancelled; after the last ones the order comes to its end."""
        order.outstanding -= units
        if not order.outstanding:
            self._schedule.start(self._close(order), self._after(2, 48))

    def _close(self, order: OpenOrder) -> Process:
        self._emit(CloseOrder(**self._of(order)))
        if not self._happens(self._settings.return_share):
            return
        yield self._after(48, 20 * 24)
        line = self._chance.choice([each for each in order.lines.values() if each.delivered])
        units = self._chance.randint(1, line.delivered)
        lines = (LineQuantity(line_no=line.line_no, quantity=units),)
        reason = self._chance.choice(RETURN_REASONS)
        self._emit(ReturnOrderLines(**self._of(order), lines=lines, reason=reason))
        self._stockroom.take_back(self._stock(order, line), units, order.order_id)

    def _stock(self, order: OpenOrder, line: OpenLine) -> Stock:
        return self._stockroom.stocks[line.product.product_id, order.customer.warehouse.location_id]

    def _emit(self, command: OrderCommand) -> None:
        self._schedule.emit(command, command.order_id)

    def _of(self, order: OpenOrder) -> dict[str, Any]:
        return {"order_id": order.order_id, "occurred_at": self._schedule.now}

    def _after(self, shortest: float, longest: float) -> datetime:
        return self._schedule.after(self._chance, shortest, longest)

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share
