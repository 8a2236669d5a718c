"""All stocks as the log has them, who waits for them, and how far places are apart: a pure fold of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from application.codec import topics_of
from application.processes.backlog import Backlog, Waiting
from application.processes.distances import Distances
from domain.catalog.events import CustomerRegistered, CustomerRevised, LocationRegistered, LocationRevised
from domain.inventory import stock
from domain.inventory.events import InventoryEvent, StockReturned
from domain.inventory.state import Stock
from domain.order.events import (
    OrderHeld,
    OrderLineAllocated,
    OrderLineBackordered,
    OrderLineCancelled,
    OrderLineShipped,
    OrderReleased,
)

INVENTORY = "inventory-"
ORDER = "order-"


class Kept(NamedTuple):
    """A stock at a version, and the event by which units last became available in it."""

    state: Stock
    version: int
    raised_at: datetime
    raised_version: int

    def followed_by(self, state: Stock, version: int, occurred_at: datetime) -> Kept:
        """Return the stock as it is later."""
        if state.available > self.state.available:
            return Kept(state, version, occurred_at, version)
        return Kept(state, version, self.raised_at, self.raised_version)


class Serving(NamedTuple):
    """Back-orders that a product's stock can serve now: the event that made it so, and who waits, oldest first."""

    cause_stream: str
    cause_version: int
    occurred_at: datetime
    waiting: list[Waiting]


class Stockroom:
    """Stocks by product and location, and the back-orders of each product by age.

    `position` is how far in the log it is true; what its own process appends may be put in before it is read.
    """

    TOPICS = topics_of(
        *InventoryEvent.__args__,
        OrderHeld,
        OrderReleased,
        OrderLineBackordered,
        OrderLineAllocated,
        OrderLineShipped,
        OrderLineCancelled,
        CustomerRegistered,
        CustomerRevised,
        LocationRegistered,
        LocationRevised,
    )

    def __init__(self) -> None:
        self.position = 0
        self.backlog = Backlog()
        self.distances = Distances()
        self._stocks: dict[str, dict[str, str]] = {}
        self._places: dict[str, tuple[str, str]] = {}
        self._kept: dict[str, Kept] = {}
        self._returned: dict[tuple[str, str], int] = {}
        self._replenished: set[str] = set()

    def concerns(self, stream_id: str, version: int, topic: str) -> bool:
        """Whether an event has to be decoded: not if it is in already, or of an order that waits for nothing."""
        if stream_id.startswith(INVENTORY):
            kept = self._kept.get(stream_id)
            return kept is None or version > kept.version
        return not stream_id.startswith(ORDER) or self.backlog.concerns(stream_id.removeprefix(ORDER), topic)

    def apply(self, stream_id: str, version: int, event: Any) -> None:
        """Take in an event that concerns this."""
        if stream_id.startswith(INVENTORY):
            self._move(stream_id, version, event)
        elif stream_id.startswith(ORDER):
            self._replenished |= self.backlog.apply(stream_id.removeprefix(ORDER), event)
        else:
            self.distances.apply(event)

    def adopt(self, stream_id: str, state: Stock, version: int, events: Iterable[Any]) -> None:
        """Take a stock as it is after events that its own process appended, the last ones of their stream."""
        before = self._kept.get(stream_id)
        if before is None:
            return
        product_id = self._places[stream_id][0]
        for event in events:
            occurred_at = event.occurred_at
            self._credit(event, product_id)
        self._keep(stream_id, product_id, before.followed_by(state, version, occurred_at))

    def returned(self, order_id: str, product_id: str) -> int:
        """Return the units of a product that came back to stock from an order."""
        return self._returned.get((order_id, product_id), 0)

    def streams(self, product_id: str) -> Mapping[str, str]:
        """Return the streams of a product's stocks by location."""
        return self._stocks.get(product_id, {})

    def kept(self, stream_id: str) -> Kept | None:
        """Return a stock and its version."""
        return self._kept.get(stream_id)

    def name_products(self, order_id: str, products: Mapping[int, str]) -> None:
        """Say which products an order's lines are for."""
        self._replenished |= self.backlog.name_products(order_id, products)

    def servable(self, limit: int) -> Iterator[Serving]:
        """Yield what can be served, up to about `limit` back-orders; products that have nothing to serve are done."""
        for product_id in sorted(self._replenished):
            if limit <= 0:
                return
            available = self._available(product_id)
            waiting = _reached(self.backlog.by_age(product_id), sum(k.state.available for _, k in available), limit)
            if not waiting:
                self._replenished.discard(product_id)
                continue
            limit -= len(waiting)
            stream_id, latest = max(available, key=lambda each: (each[1].raised_at, each[0]))
            yield Serving(stream_id, latest.raised_version, latest.raised_at, waiting)

    def _available(self, product_id: str) -> list[tuple[str, Kept]]:
        kept = ((stream_id, self._kept[stream_id]) for stream_id in self.streams(product_id).values())
        return [(stream_id, each) for stream_id, each in kept if each.state.available > 0]

    def _move(self, stream_id: str, version: int, event: Any) -> None:
        before = self._kept.get(stream_id)
        state = stock.evolve(before.state if before else None, event)
        if before is None:
            # The first event of a stock names its product and location.
            self._places[stream_id] = event.product_id, event.location_id
            self._stocks.setdefault(event.product_id, {})[event.location_id] = stream_id
            kept = Kept(state, version, event.occurred_at, version)
        else:
            kept = before.followed_by(state, version, event.occurred_at)
        product_id = self._places[stream_id][0]
        self._credit(event, product_id)
        self._keep(stream_id, product_id, kept)

    def _keep(self, stream_id: str, product_id: str, kept: Kept) -> None:
        self._kept[stream_id] = kept
        if kept.raised_version == kept.version and self.backlog.has(product_id):
            self._replenished.add(product_id)

    def _credit(self, event: Any, product_id: str) -> None:
        if type(event) is StockReturned and event.order_id is not None:
            key = event.order_id, product_id
            self._returned[key] = self._returned.get(key, 0) + event.quantity


class Shelves:
    """The stocks of a stockroom under what a batch decided so far."""

    def __init__(self, room: Stockroom, changed: Mapping[str, tuple[Any, int]]) -> None:
        self._room = room
        self._changed = changed
        self._credited: dict[tuple[str, str], int] = {}

    def at(self, product_id: str) -> list[tuple[str, Stock]]:
        """Return the stocks of a product, by location."""
        changed, room = self._changed, self._room
        found = []
        for location_id, stream_id in room.streams(product_id).items():
            state = changed.get(stream_id) or room.kept(stream_id)
            assert state is not None
            found.append((location_id, state[0]))
        return found

    def nearest_first(self, product_id: str, customer_id: str) -> list[tuple[str, Stock]]:
        """Return the stocks of a product: nearest to a customer first; where nobody knows, in order of their ids."""
        return sorted(self.at(product_id), key=lambda each: self._room.distances.rank(customer_id, each[0]))

    def returned(self, order_id: str, product_id: str) -> int:
        """Return the units of a product that came back to stock from an order."""
        return self._room.returned(order_id, product_id) + self._credited.get((order_id, product_id), 0)

    def credit(self, order_id: str, product_id: str, quantity: int) -> None:
        """Note units that the batch takes back into stock."""
        key = order_id, product_id
        self._credited[key] = self._credited.get(key, 0) + quantity


def _reached(waiting: Iterable[Waiting], units: int, limit: int) -> list[Waiting]:
    """Return the oldest back-orders among which so many units are gone."""
    reached: list[Waiting] = []
    for each in waiting:
        if units <= 0 or len(reached) >= limit:
            break
        reached.append(each)
        units -= each.units
    return reached
