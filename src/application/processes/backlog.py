"""Order lines that wait for stock, by product and age: a pure fold of the orders' events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from domain.order.events import OrderHeld, OrderLineBackordered, OrderReleased

_ALWAYS = ("OrderLineBackordered.", "OrderHeld.", "OrderReleased.")


class Waiting(NamedTuple):
    """Units of an order line that wait, since `since` in business time."""

    since: datetime
    order_id: str
    line_no: int
    units: int


class Backlog:
    """Back-orders by product; lines of held orders wait, too, but can't be served."""

    def __init__(self) -> None:
        self._orders: dict[str, dict[int, Waiting]] = {}
        self._products: dict[str, dict[int, str]] = {}
        self._lines: dict[str, set[tuple[str, int]]] = {}
        self._held: set[str] = set()
        self._unnamed: set[str] = set()

    def concerns(self, order_id: str, topic: str) -> bool:
        """Whether an event of an order can change this."""
        return order_id in self._orders or topic.startswith(_ALWAYS)

    def apply(self, order_id: str, event: Any) -> set[str]:
        """Take in an event of an order; return the products whose back-orders may be servable because of it."""
        if isinstance(event, OrderHeld):
            self._held.add(order_id)
            return set()
        if isinstance(event, OrderReleased):
            self._held.discard(order_id)
            return self._named(order_id)
        lines = self._orders.setdefault(order_id, {})
        before = lines.get(event.line_no)
        if event.backordered:
            since = before.since if before else event.occurred_at
            lines[event.line_no] = Waiting(since, order_id, event.line_no, event.backordered)
            return self._enter(order_id, event.line_no) if isinstance(event, OrderLineBackordered) else set()
        self._leave(order_id, event.line_no)
        return set()

    def set_aside(self, order_id: str) -> None:
        """Serve an order no more, until it is released; the domain refused to."""
        self._held.add(order_id)

    def unnamed(self) -> list[str]:
        """Return the orders with a line that waits, but for which product is not known yet."""
        return list(self._unnamed)

    def name_products(self, order_id: str, products: Mapping[int, str]) -> set[str]:
        """Say which products an order's lines are for; return those that it waits for."""
        self._products[order_id] = dict(products)
        self._unnamed.discard(order_id)
        for line_no in self._orders.get(order_id, ()):
            self._enter(order_id, line_no)
        return self._named(order_id)

    def has(self, product_id: str) -> bool:
        """Whether anybody waits for a product."""
        return product_id in self._lines

    def by_age(self, product_id: str) -> Iterator[Waiting]:
        """Yield who waits for a product and is not held: oldest first, then by order and line."""
        lines = self._lines.get(product_id, ())
        yield from sorted(self._orders[order][line] for order, line in lines if order not in self._held)

    def _enter(self, order_id: str, line_no: int) -> set[str]:
        product_id = self._products.get(order_id, {}).get(line_no)
        if product_id is None:
            self._unnamed.add(order_id)
            return set()
        self._lines.setdefault(product_id, set()).add((order_id, line_no))
        return {product_id}

    def _leave(self, order_id: str, line_no: int) -> None:
        lines = self._orders[order_id]
        lines.pop(line_no, None)
        product_id = self._products.get(order_id, {}).get(line_no)
        if product_id in self._lines:
            waiting = self._lines[product_id]
            waiting.discard((order_id, line_no))
            if not waiting:
                del self._lines[product_id]
        if not lines:
            del self._orders[order_id]
            self._products.pop(order_id, None)
            self._unnamed.discard(order_id)

    def _named(self, order_id: str) -> set[str]:
        products = self._products.get(order_id, {})
        return {products[line_no] for line_no in self._orders.get(order_id, ()) if line_no in products}
