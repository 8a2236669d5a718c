"""Fulfilment: from what happened to an order, a stock or a shipment to commands for the others.

Each function compares what is with what should be, and returns the commands that close the gap; none where there
is none. So it does not matter how often, or after what else, it is asked. All commands of an answer are carried out
together, or none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from application.processes.errors import OriginUnknown, ReservedElsewhere
from application.processes.order_history import OrderHistory, Returned, reservation_name
from application.processes.places import Share, best_places
from application.processes.shipment_history import ShipmentHistory
from application.processes.stockroom import Shelves
from domain.inventory.commands import ReleaseReservation, ReserveStock, ReturnStock, ScrapStock, ShipStock
from domain.order.commands import (
    AllocateOrderLines,
    BackorderOrderLines,
    DeliverOrderLines,
    LineQuantity,
    ReleaseAllocation,
    ShipOrderLines,
)
from domain.order.state import Order, OrderLine, OrderStatus

NO_LONGER_ALLOCATED = "no longer allocated"
NO_LONGER_RESERVED = "no longer reserved"
NOT_DELIVERED = "shipment returned"
SCRAPPED_REASONS = frozenset({"broken", "contaminated", "damaged", "defective", "expired", "spoiled"})
"""Reasons of a return after which units are thrown away; others go back on the shelf."""

Commands = list[Any]


class Situation(NamedTuple):
    """An order, its history, and the stocks."""

    order: Order
    history: OrderHistory
    shelves: Shelves


class Held(NamedTuple):
    """What is left of one reservation for an order line."""

    location_id: str
    name: str
    remaining: int


def settle(situation: Situation, at: datetime, serving: Collection[int] = ()) -> Commands:
    """Reserve and allocate an order's open units, back-order what no stock has, release what it no longer needs.

    Of lines in `serving`, back-ordered units are served, too.
    """
    settling = _Settling(situation, at)
    for line in situation.order.lines.values():
        settling.line(line, line.line_no in serving)
    return settling.commands()


class _Settling:
    """The commands for one order, gathered line by line, so that each aggregate gets few."""

    def __init__(self, situation: Situation, at: datetime) -> None:
        self._order, self._history, self._shelves = situation
        self._at = at
        self._situation = situation
        self._stock: Commands = []
        self._released: list[LineQuantity] = []
        self._allocated: dict[tuple[int, str], list[LineQuantity]] = {}
        self._backordered: list[LineQuantity] = []
        self._taken: dict[tuple[str, str], int] = {}
        self._used: set[str] = set()
        self._serves = self._order.status is OrderStatus.ACTIVE and not self._order.held

    def line(self, line: OrderLine, serving: bool) -> None:
        """Take in one line."""
        lost = 0
        if line.line_no in self._history.allocations:
            held, complete = reservations(self._situation, line.line_no)
            reserved = sum(each.remaining for each in held)
            self._stock += releases(self._situation, line.line_no, held, reserved - line.allocated, self._at)
            lost = max(0, line.allocated - reserved) if complete else 0
        if lost and self._order.status is OrderStatus.ACTIVE:
            self._released.append(LineQuantity(line_no=line.line_no, quantity=lost))
        wanted = line.open + lost + (line.backordered if serving else 0)
        if wanted and self._serves:
            self._serve(line, wanted, line.open + lost)

    def commands(self) -> Commands:
        """Return the commands: stocks first, then the order."""
        of: dict[str, Any] = {"order_id": self._order.order_id, "occurred_at": self._at}
        commands = self._stock
        if self._released:
            commands.append(ReleaseAllocation(**of, lines=tuple(self._released), reason=NO_LONGER_RESERVED))
        # The n-th allocation of a line belongs to its n-th reservation: first shares before second ones.
        for (_, location_id), lines in sorted(self._allocated.items(), key=lambda each: each[0][0]):
            commands.append(AllocateOrderLines(**of, location_id=location_id, lines=tuple(lines)))
        if self._backordered:
            commands.append(BackorderOrderLines(**of, lines=tuple(self._backordered)))
        return commands

    def _serve(self, line: OrderLine, wanted: int, opened: int) -> None:
        product_id, line_no = self._history.products[line.line_no], line.line_no
        stocks = self._shelves.nearest_first(product_id, self._history.customer_id)
        free = [(place, stock.available - self._taken.get((product_id, place), 0)) for place, stock in stocks]
        shares = best_places(wanted, free, self._used)
        number = len(self._history.allocations.get(line_no, ()))
        for turn, share in enumerate(shares):
            number += 1
            name = reservation_name(self._order.order_id, line_no, number)
            if any(name in stock.reservations for _, stock in stocks):
                raise ReservedElsewhere(f"({name})")
            self._reserve(product_id, share, name)
            lines = self._allocated.setdefault((turn, share.location_id), [])
            lines.append(LineQuantity(line_no=line_no, quantity=share.units))
        # The order serves back-ordered units first.
        left = opened - max(0, sum(share.units for share in shares) - line.backordered)
        if left:
            self._backordered.append(LineQuantity(line_no=line_no, quantity=left))

    def _reserve(self, product_id: str, share: Share, name: str) -> None:
        place = product_id, share.location_id
        self._taken[place] = self._taken.get(place, 0) + share.units
        self._used.add(share.location_id)
        self._stock.append(
            ReserveStock(
                product_id=product_id,
                location_id=share.location_id,
                occurred_at=self._at,
                reservation_id=name,
                quantity=share.units,
            )
        )


def reservations(situation: Situation, line_no: int) -> tuple[list[Held], bool]:
    """Return what is left of a line's reservations, and whether all of its allocations had one."""
    order, history, shelves = situation
    stocks = dict(shelves.at(history.products[line_no]))
    held = []
    complete = True
    for number, location_id in enumerate(history.allocations.get(line_no, ()), 1):
        name, stock = reservation_name(order.order_id, line_no, number), stocks.get(location_id)
        if stock is None:
            complete = False
        elif name in stock.reservations:
            held.append(Held(location_id, name, stock.reservations[name].remaining))
        elif name not in stock.consumed_reservations:
            complete = False
    return held, complete


def releases(situation: Situation, line_no: int, held: Iterable[Held], units: int, at: datetime) -> Commands:
    """Release so many units of a line's reservations, the latest first."""
    commands: Commands = []
    for each in reversed(list(held)):
        quantity = min(units, each.remaining)
        if quantity <= 0:
            break
        units -= quantity
        commands.append(
            ReleaseReservation(
                product_id=situation.history.products[line_no],
                location_id=each.location_id,
                occurred_at=at,
                reservation_id=each.name,
                reason=NO_LONGER_ALLOCATED,
                quantity=quantity,
            )
        )
    return commands


def follow_shipment(situation: Situation, shipment: ShipmentHistory) -> Commands:
    """Ship the stock and the order's lines once a shipment was dispatched, deliver them once it arrived."""
    plan = shipment.plan
    assert plan is not None
    commands: Commands = []
    if shipment.dispatched_at is not None and plan.shipment_id not in situation.history.shipped:
        commands += _ship(situation, shipment, shipment.dispatched_at)
    done = situation.history.delivered.get(plan.shipment_id, {})
    arrived = [LineQuantity(line_no=no, quantity=units) for no, units in shipment.delivered.items() if no not in done]
    if shipment.delivered_at is not None and arrived:
        commands.append(
            DeliverOrderLines(
                order_id=plan.order_id,
                occurred_at=shipment.delivered_at,
                lines=tuple(arrived),
                shipment_id=plan.shipment_id,
            )
        )
    return commands


def _ship(situation: Situation, shipment: ShipmentHistory, at: datetime) -> Commands:
    plan, order = shipment.plan, situation.order
    assert plan is not None
    commands: Commands = [
        ShipOrderLines(
            order_id=plan.order_id,
            occurred_at=at,
            lines=tuple(LineQuantity(line_no=each.line_no, quantity=each.quantity) for each in plan.lines),
            shipment_id=plan.shipment_id,
            carrier_id=plan.carrier_id,
            location_id=plan.origin_location_id,
        )
    ]
    for each in plan.lines:
        line = order.lines.get(each.line_no)
        if line is not None:
            commands += _ship_line(situation, shipment, line, each.quantity, at)
    return commands


def _ship_line(situation: Situation, shipment: ShipmentHistory, line: OrderLine, units: int, at: datetime) -> Commands:
    """Ship from the reservations at the origin, then from what is available there; release what is reserved beyond."""
    plan = shipment.plan
    assert plan is not None
    origin, product_id = plan.origin_location_id, situation.history.products[line.line_no]
    of: dict[str, Any] = {"product_id": product_id, "occurred_at": at, "shipment_id": plan.shipment_id}
    commands: Commands = []
    kept = []
    left = units
    for held in reservations(situation, line.line_no)[0]:
        taken = min(left, held.remaining) if origin in (None, held.location_id) else 0
        left -= taken
        kept.append(held._replace(remaining=held.remaining - taken))
        if taken:
            commands.append(ShipStock(**of, location_id=held.location_id, quantity=taken, reservation_id=held.name))
    if left:
        if origin is None:
            raise OriginUnknown(f"(shipment {plan.shipment_id}, line {line.line_no})")
        commands.append(ShipStock(**of, location_id=origin, quantity=left))
    surplus = sum(each.remaining for each in kept) - max(0, line.allocated - units)
    return commands + releases(situation, line.line_no, kept, surplus, at)


def take_back(situation: Situation, shipments: Iterable[ShipmentHistory]) -> Commands:
    """Put back on the shelf, or scrap, what customers returned and what came back undelivered with `shipments`."""
    history, shelves = situation.history, situation.shelves
    returned = [*history.returns, *(each for shipment in shipments for each in _undelivered(shipment))]
    credited: dict[str, int] = {}
    commands: Commands = []
    for each in sorted(returned, key=lambda one: one.occurred_at):
        product_id = history.products.get(each.line_no)
        if product_id is None:
            continue
        known = credited.setdefault(product_id, shelves.returned(history.order_id, product_id))
        credited[product_id] = max(0, known - each.quantity)
        if each.quantity > known:
            commands += _restock(situation, each, product_id, each.quantity - known)
    return commands


def _undelivered(shipment: ShipmentHistory) -> Iterable[Returned]:
    plan = shipment.plan
    if plan is None or shipment.returned_at is None:
        return
    for line in plan.lines:
        yield Returned(line.line_no, line.quantity, NOT_DELIVERED, shipment.returned_at)


def _restock(situation: Situation, returned: Returned, product_id: str, units: int) -> Commands:
    location_id = situation.history.left_from.get(returned.line_no)
    if location_id is None:
        raise OriginUnknown(f"(order {situation.order.order_id}, line {returned.line_no})")
    of: dict[str, Any] = {"product_id": product_id, "location_id": location_id, "occurred_at": returned.occurred_at}
    back = ReturnStock(**of, quantity=units, order_id=situation.order.order_id)
    if returned.reason.strip().casefold() not in SCRAPPED_REASONS:
        return [back]
    return [back, ScrapStock(**of, quantity=units, reason=returned.reason)]
