"""What is known of an order after its events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from domain.shared.record import value


class OrderStatus(StrEnum):
    """Whether more can happen to an order."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    CLOSED = "closed"


@value
class OrderLine:
    """Units of a line: `ordered = open + backordered + allocated + shipped + cancelled`.

    `delivered` units are part of `shipped`, `returned` units part of `delivered`.
    """

    line_no: int
    ordered: int
    open: int
    backordered: int
    allocated: int
    shipped: int
    cancelled: int
    delivered: int
    returned: int

    @property
    def remaining(self) -> int:
        """Units that are neither shipped nor cancelled."""
        return self.open + self.backordered + self.allocated

    @property
    def under_way(self) -> int:
        """Units that were shipped and not delivered."""
        return self.shipped - self.delivered


@value
class Order:
    """An order; its lines by number, never changed in place.

    `original_promised_date` is the first promise ever given, `promised_date` the one that holds.
    """

    order_id: str
    status: OrderStatus
    confirmed: bool
    held: bool
    promised_date: date | None
    original_promised_date: date | None
    lines: Mapping[int, OrderLine]
