"""Events of older versions: read in the shape they were written in, turned into the version of today.

What is in the log is never edited. An upcast is a pure function of one old event, and the only thing that knows
its old shape: it gives the event of the next version, which may itself be an old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from domain.order.events import OrderLineShipped
from domain.shared.record import record


@dataclass(frozen=True, slots=True)
class Upcast:
    """How events of an old topic are read: `shape` is the record as it was written, `to_next` gives the next version.

    Whatever `to_next` states that the old event does not say must be None, or true of every such event.
    """

    topic: str
    shape: type
    to_next: Callable[[Any], Any]


class InvalidUpcastError(Exception):
    """An upcast is for a topic that is written today, that has one already, or that turns in a circle."""


@record
class OrderLineShippedV1:
    """Units left, before anybody said from where."""

    TOPIC: ClassVar[str] = "OrderLineShipped.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    shipment_id: str | None
    carrier_id: str | None
    open: int
    backordered: int
    allocated: int
    shipped: int


def _shipped_from_somewhere(old: OrderLineShippedV1) -> OrderLineShipped:
    return OrderLineShipped(
        occurred_at=old.occurred_at,
        line_no=old.line_no,
        quantity=old.quantity,
        shipment_id=old.shipment_id,
        carrier_id=old.carrier_id,
        location_id=None,
        open=old.open,
        backordered=old.backordered,
        allocated=old.allocated,
        shipped=old.shipped,
    )


UPCASTS: tuple[Upcast, ...] = (Upcast(OrderLineShippedV1.TOPIC, OrderLineShippedV1, _shipped_from_somewhere),)
"""One for each topic that the log may hold and that nobody writes any more."""


def by_topic(upcasts: Iterable[Upcast], current: Iterable[str]) -> dict[str, Upcast]:
    """Return the upcasts by topic; each is a different one, and none is of a `current` topic.

    Raises:
        InvalidUpcastError: that is not so.
    """
    known = set(current)
    found: dict[str, Upcast] = {}
    for upcast in upcasts:
        if upcast.topic in known or upcast.topic in found:
            raise InvalidUpcastError(f"{upcast.topic} is written today, or has two upcasts")
        found[upcast.topic] = upcast
    return found


def upcaster(upcast: Upcast, upcasts: Mapping[str, Upcast]) -> Callable[[Any], Any]:
    """Return the function from an event in the upcast's shape to the version of today, over all between them."""

    def to_today(event: Any) -> Any:
        step: Upcast | None = upcast
        seen = set()
        while step is not None:
            if step.topic in seen:
                raise InvalidUpcastError(f"{step.topic} turns into itself")
            seen.add(step.topic)
            event = step.to_next(event)
            step = upcasts.get(event.TOPIC)
        return event

    return to_today
