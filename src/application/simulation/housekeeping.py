"""What happens to stock besides orders: transfers, counts, quarantine, scrap, adjustments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings
from application.simulation.stockroom import Stock, Stockroom
from domain.inventory.commands import (
    AdjustStock,
    CountStock,
    QuarantineStock,
    ReleaseStockFromQuarantine,
    ScrapStock,
    TransferStockIn,
    TransferStockOut,
)

TASKS_PER_ORDER = 0.15
LOSS_SHARE = 0.1
SCRAP_SHARE = 0.4
DIFFERENCES = (0, 0, 0, 1, -1, -2)


class Housekeeping:
    """Chooses stocks at random and works on them, in proportion to the orders."""

    def __init__(self, settings: SimulationSettings, schedule: Schedule, stockroom: Stockroom) -> None:
        self._settings = settings
        self._schedule = schedule
        self._stockroom = stockroom
        self._chance = settings.random("housekeeping")
        self._stocks = tuple(stockroom.stocks.values())
        self._numbers = count(1)

    def work(self, orders_per_day: float) -> Process:
        """Begin a task every so often, without end."""
        tasks: list[Callable[[Stock, str], Process]] = [self._transfer, self._quarantine, self._adjust]
        if self._settings.stock_at_start is None and self._settings.register_catalog:
            # Where others work on the same stock, what a count would find is not known here.
            tasks.append(self._count)
        while True:
            yield self._schedule.now + timedelta(
                seconds=int(self._chance.expovariate(orders_per_day * TASKS_PER_ORDER) * 86_400)
            )
            task, stock = self._chance.choice(tasks), self._chance.choice(self._stocks)
            self._schedule.start(task(stock, self._settings.name("TASK", next(self._numbers))))

    def _transfer(self, stock: Stock, name: str) -> Process:
        others = [
            each
            for location in self._locations()
            if (each := self._stockroom.stocks[stock.product.product_id, location]) is not stock
        ]
        target = min(others, key=lambda each: each.available - each.reorder_point)
        units = min((stock.available - stock.reorder_point) // 2, stock.reorder_quantity)
        if units < 1:
            return
        transfer_id = name.replace("TASK", "TR")
        target_id, stock_id = target.warehouse.location_id, stock.warehouse.location_id
        stock.on_hand -= units
        self._emit(name, TransferStockOut, stock, transfer_id=transfer_id, quantity=units, to_location_id=target_id)
        self._stockroom.check(stock)
        yield self._schedule.after(self._chance, 48, 240)
        lost = 1 if units > 1 and self._chance.random() < LOSS_SHARE else 0
        target.on_hand += units - lost
        self._emit(
            name,
            TransferStockIn,
            target,
            transfer_id=transfer_id,
            sent=units,
            quantity=units - lost,
            lost=lost,
            from_location_id=stock_id,
        )
        self._stockroom.serve_backlog(target)

    def _quarantine(self, stock: Stock, name: str) -> Process:
        if stock.available < 1:
            return
        units = self._chance.randint(1, min(3, stock.available))
        stock.quarantined += units
        self._emit(name, QuarantineStock, stock, quantity=units, reason="quality check")
        self._stockroom.check(stock)
        yield self._schedule.after(self._chance, 12, 96)
        stock.quarantined -= units
        if self._chance.random() < SCRAP_SHARE:
            stock.on_hand -= units
            self._emit(name, ScrapStock, stock, quantity=units, reason="failed the quality check")
        else:
            self._emit(name, ReleaseStockFromQuarantine, stock, quantity=units)
            self._stockroom.serve_backlog(stock)

    def _count(self, stock: Stock, name: str) -> Process:
        yield self._schedule.after(self._chance, 0.2, 3)
        difference = max(self._chance.choice(DIFFERENCES), -stock.available)
        stock.on_hand += difference
        self._emit(name, CountStock, stock, counted=stock.on_hand)
        self._changed(stock)

    def _adjust(self, stock: Stock, name: str) -> Process:
        yield self._schedule.after(self._chance, 0.2, 3)
        if stock.available < 1:
            return
        stock.on_hand -= 1
        self._emit(name, AdjustStock, stock, delta=-1, reason="broken in handling")
        self._changed(stock)

    def _changed(self, stock: Stock) -> None:
        self._stockroom.check(stock)
        self._stockroom.serve_backlog(stock)

    def _locations(self) -> list[str]:
        return sorted({stock.warehouse.location_id for stock in self._stocks})

    def _emit(self, name: str, command: Any, stock: Stock, **fields: Any) -> None:
        self._schedule.emit(
            command(
                product_id=stock.product.product_id,
                location_id=stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                **fields,
            ),
            name,
        )
