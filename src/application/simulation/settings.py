"""What a simulation is made from, and what it gives out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, NamedTuple


class Timed(NamedTuple):
    """A command, when to release it, and what it belongs to (an order, a purchase, a transfer)."""

    at: datetime
    command: Any
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """The parameters of a simulated supply chain; equal settings give equal commands.

    Shares are of orders, or of shipments for `delay_share`, `exception_share` and `failed_attempt_share`.
    `run` is part of every order, shipment, transfer and message id, so that runs on one world don't collide.
    `stock_at_start` gives the available units by (product_id, location_id) of a world that has stock
    already; without it the run receives stock of its own. `orders_per_second` and `speed` (business
    seconds that pass in a second of the wall clock) serve the live mode; `orders` and `days` the other. With
    `platform_decides`, only what is ordered, received and reported is given out, no decision that follows from it.
    """

    start: datetime
    seed: int = 1
    orders: int = 1000
    days: int = 90
    delay_share: float = 0.15
    exception_share: float = 0.04
    failed_attempt_share: float = 0.03
    cancel_share: float = 0.06
    return_share: float = 0.05
    hold_share: float = 0.05
    run: str = ""
    register_catalog: bool = True
    stock_at_start: Mapping[tuple[str, str], int] | None = None
    orders_per_second: float = 1.0
    speed: float = 1.0
    platform_decides: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError where a parameter makes no sense."""
        if self.start.tzinfo is None:
            raise ValueError("start needs a UTC offset")
        if self.orders < 0 or self.days < 1:
            raise ValueError("orders must be 0 or more, days 1 or more")
        if self.orders_per_second <= 0 or self.speed <= 0:
            raise ValueError("orders_per_second and speed must be above 0")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")

    def name(self, prefix: str, number: int, width: int = 6) -> str:
        """Return an identifier of this run: `SO-000017`, or `SO-<run>-000017`."""
        return f"{prefix}-{self.run}-{number:0{width}d}" if self.run else f"{prefix}-{number:0{width}d}"

    def random(self, concern: str) -> Random:
        """Return the concern's own source of chance, so that a change of one leaves the others alone."""
        return random_of(f"{self.seed}/{self.run}/{concern}")


_SHARES = (
    "delay_share",
    "exception_share",
    "failed_attempt_share",
    "cancel_share",
    "return_share",
    "hold_share",
)


def random_of(seed: str) -> Random:
    """Return a reproducible source of chance; nothing here is a secret."""
    return Random(seed)  # noqa: S311
