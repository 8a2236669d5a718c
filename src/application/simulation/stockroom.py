"""The simulated stock of every product at every location: levels, backlog, replenishment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from math import ceil, sqrt

from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings
from application.simulation.world import Product, Warehouse
from domain.inventory.commands import (
    ReceiveStock,
    ReleaseReservation,
    ReserveStock,
    ReturnStock,
    SetReorderPoint,
    ShipStock,
)

SAFETY = 1.5
LEAST = 4
COVER_DAYS = 21


@dataclass(slots=True)
class Backorder:
    """Units of an order line that wait for stock; `serve` is called with the units that became available."""

    quantity: int
    serve: Callable[[int], None]


@dataclass(slots=True)
class Stock:
    """The levels of a product at a location, as the domain knows them or below."""

    product: Product
    warehouse: Warehouse
    on_hand: int = 0
    reserved: int = 0
    quarantined: int = 0
    reorder_point: int = 0
    reorder_quantity: int = 1
    on_order: bool = False
    backlog: deque[Backorder] = field(default_factory=deque)

    @property
    def available(self) -> int:
        """Units that are neither reserved nor in quarantine."""
        return self.on_hand - self.reserved - self.quarantined


@dataclass(frozen=True, slots=True)
class Demand:
    """Expected demand: order lines a day, units a line, and the mean square of units a line."""

    lines_per_day: float
    units: float
    squared_units: float

    def reorder_point(self, lead_time_days: int) -> int:
        """Return mean demand in the lead time plus safety stock (compound Poisson), never very few."""
        lines = self.lines_per_day * lead_time_days
        return max(LEAST, ceil(lines * self.units + SAFETY * sqrt(lines * self.squared_units)))

    def reorder_quantity(self) -> int:
        """Return the demand of three weeks, in tens."""
        return 10 * ceil(self.lines_per_day * self.units * COVER_DAYS / 10)


class Stockroom:
    """Every stock, with the movements that change what is available; the backlog is served first."""

    def __init__(self, settings: SimulationSettings, schedule: Schedule) -> None:
        self.stocks: dict[tuple[str, str], Stock] = {}
        self._settings = settings
        self._schedule = schedule
        self._chance = settings.random("replenishment")
        self._purchases = count(1)

    def open(self, product: Product, warehouse: Warehouse, demand: Demand) -> None:
        """Begin to keep a product at a location, with a reorder point and stock to start with."""
        stock = Stock(product, warehouse)
        stock.reorder_point = demand.reorder_point(product.supplier.lead_time_days)
        stock.reorder_quantity = demand.reorder_quantity()
        key = product.product_id, warehouse.location_id
        self.stocks[key] = stock
        at_start = self._settings.stock_at_start
        if at_start is not None:
            stock.on_hand = at_start.get(key, 0)
            self.check(stock)
            return
        purchase = self._purchase()
        self._schedule.emit(
            SetReorderPoint(
                product_id=product.product_id,
                location_id=warehouse.location_id,
                occurred_at=self._schedule.now,
                reorder_point=stock.reorder_point,
                reorder_quantity=stock.reorder_quantity,
            ),
            purchase,
        )
        opening = stock.reorder_point + int(stock.reorder_quantity * self._chance.uniform(0.2, 1)) + 1
        self._receive(stock, opening, None, purchase)

    def reserve(self, stock: Stock, reservation_id: str, quantity: int, order_id: str) -> None:
        """Set available units aside for an order."""
        stock.reserved += quantity
        self._schedule.emit(
            ReserveStock(
                product_id=stock.product.product_id,
                location_id=stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                reservation_id=reservation_id,
                quantity=quantity,
            ),
            order_id,
        )
        self.check(stock)

    def release(self, stock: Stock, reservation_id: str, quantity: int, reason: str, order_id: str) -> None:
        """Give all units of a reservation back."""
        self._schedule.emit(
            ReleaseReservation(
                product_id=stock.product.product_id,
                location_id=stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                reservation_id=reservation_id,
                reason=reason,
            ),
            order_id,
        )
        stock.reserved -= quantity
        self.serve_backlog(stock)

    def ship(self, stock: Stock, reservation_id: str, quantity: int, shipment_id: str, order_id: str) -> None:
        """Let all units of a reservation leave."""
        self._schedule.emit(
            ShipStock(
                product_id=stock.product.product_id,
                location_id=stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                quantity=quantity,
                reservation_id=reservation_id,
                shipment_id=shipment_id,
            ),
            order_id,
        )
        stock.on_hand -= quantity
        stock.reserved -= quantity

    def take_back(self, stock: Stock, quantity: int, order_id: str) -> None:
        """Take in what a customer sends back."""
        self._schedule.emit(
            ReturnStock(
                product_id=stock.product.product_id,
                location_id=stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                quantity=quantity,
                order_id=order_id,
            ),
            order_id,
        )
        stock.on_hand += quantity
        self.serve_backlog(stock)

    def serve_backlog(self, stock: Stock) -> None:
        """Give available units to the orders that wait, first come, first served; after every increase."""
        while stock.backlog and (stock.available or not stock.backlog[0].quantity):
            backorder = stock.backlog[0]
            units = min(stock.available, backorder.quantity)
            backorder.quantity -= units
            if not backorder.quantity:
                stock.backlog.popleft()
            if units:
                backorder.serve(units)

    def check(self, stock: Stock) -> None:
        """Order from the supplier at or below the reorder point; call after every decrease."""
        if stock.available <= stock.reorder_point and not stock.on_order:
            stock.on_order = True
            self._schedule.start(self._replenish(stock))

    def _replenish(self, stock: Stock) -> Process:
        ordered_at = self._schedule.now
        lead_time = timedelta(days=stock.product.supplier.lead_time_days)
        yield ordered_at + timedelta(minutes=int(lead_time.total_seconds() / 60 * self._lateness()))
        waiting = sum(backorder.quantity for backorder in stock.backlog)
        stock.on_order = False
        self._receive(stock, stock.reorder_quantity + waiting, ordered_at, self._purchase())
        self.check(stock)

    def _lateness(self) -> float:
        """Return the share of the agreed lead time that a delivery takes: most are in time, some are late."""
        return self._chance.triangular(0.8, 1.5, 0.95)

    def _receive(self, stock: Stock, quantity: int, ordered_at: datetime | None, purchase: str) -> None:
        """Take goods in; what a stock opens with was ordered before the time that is simulated."""
        self._schedule.emit(
            ReceiveStock(
                product_id=stock.product.product_id,
                location_id=stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                quantity=quantity,
                supplier_id=stock.product.supplier.supplier_id,
                unit_cost=stock.product.unit_cost,
                ordered_at=ordered_at,
            ),
            purchase,
        )
        stock.on_hand += quantity
        self.serve_backlog(stock)

    def _purchase(self) -> str:
        return self._settings.name("PO", next(self._purchases))
