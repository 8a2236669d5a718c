"""Orders as customers place them: when, by whom, which products, how many, at which price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, count
from typing import NamedTuple

from application.simulation.geography import great_circle_km
from application.simulation.settings import SimulationSettings
from application.simulation.stockroom import Backorder, Stock
from application.simulation.world import CURRENCY, Carrier, Customer, Product, World, cents, cumulative
from domain.order.commands import OrderedLine, PlaceOrder

LINES = {1: 30, 2: 28, 3: 20, 4: 13, 5: 9}
UNITS = {1: 40, 2: 25, 3: 12, 4: 8, 5: 6, 6: 4, 8: 3, 10: 2}
DISCOUNTS = ("0.05", "0.10", "0.15")
DISCOUNT_SHARE = 0.2
LONG_HAUL_KM = 2500
CARRIERS_SHORT = {"parcel": 5, "road": 4, "rail": 1}
CARRIERS_LONG = {"air": 6, "sea": 1}
HANDLING_DAYS = 2
OPENING_HOURS = 6
DAY_WEIGHTS = (1.0, 1.05, 1.0, 0.95, 1.0, 0.5, 0.35)
DAY = timedelta(days=1)


class Reservation(NamedTuple):
    """Units set aside for a line of an order."""

    line_no: int
    stock: Stock
    reservation_id: str
    quantity: int


@dataclass(slots=True)
class OpenLine:
    """A line of an order under way."""

    line_no: int
    product: Product
    quantity: int
    reservations: int = 0
    delivered: int = 0
    backorder: Backorder | None = None


@dataclass(slots=True)
class OpenOrder:
    """An order under way: `outstanding` units are neither delivered nor cancelled."""

    order_id: str
    customer: Customer
    carrier: Carrier
    lateness: float
    distance_km: float
    promised: date
    lines: dict[int, OpenLine]
    outstanding: int
    shipments: int = 0
    reserved: list[Reservation] = field(default_factory=list)

    @property
    def transit(self) -> timedelta:
        """The time from warehouse to customer."""
        return timedelta(days=0.5 + self.distance_km / self.carrier.km_per_day)


def mean(weights: dict[int, int], power: int = 1) -> float:
    """Return the mean of the values (or of their power), by weight."""
    powers: Iterable[int] = (value**power * weight for value, weight in weights.items())
    return sum(powers) / sum(weights.values())


def arrivals(settings: SimulationSettings) -> Iterator[datetime]:
    """Yield the moments at which orders are placed: by weekday and hour, `settings.orders` in all."""
    chance = settings.random("arrivals")
    days = [settings.start + day * DAY for day in range(settings.days)]
    weights = [DAY_WEIGHTS[day.weekday()] * chance.uniform(0.85, 1.15) for day in days]
    opening = settings.start + timedelta(hours=OPENING_HOURS)
    placed = 0
    for day, reached in zip(days, accumulate(weights), strict=True):
        until = round(settings.orders * reached / sum(weights))
        hours = sorted(chance.triangular(0, 24, 13) for _ in range(until - placed))
        placed = until
        for hour in hours:
            yield max(opening, day + timedelta(seconds=int(hour * 3600)))


def live_arrivals(settings: SimulationSettings) -> Iterator[datetime]:
    """Yield moments without end, at random distances (Poisson arrivals) for the rate of the settings."""
    chance = settings.random("arrivals")
    at = settings.start
    while True:
        seconds = chance.expovariate(settings.orders_per_second / settings.speed)
        at += timedelta(seconds=seconds)
        yield at


class Ordering:
    """Draws orders from a world; `prices` are those of today."""

    def __init__(self, settings: SimulationSettings, world: World) -> None:
        self.prices = {each.product_id: each.unit_price for each in world.products}
        self._settings = settings
        self._world = world
        self._chance = settings.random("orders")
        self._numbers = count(1)
        self._products = cumulative(world.product_weights)
        self._customers = cumulative(world.customer_weights)

    def place(self, now: datetime) -> tuple[OpenOrder, PlaceOrder]:
        """Return the next order, and the command that places it."""
        chance = self._chance
        customer = chance.choices(self._world.customers, cum_weights=self._customers)[0]
        order = self._order(customer, now)
        lines = tuple(self._ordered(line) for line in order.lines.values())
        wish = now + order.transit + timedelta(days=chance.randint(1, 5))
        return order, PlaceOrder(
            order_id=order.order_id,
            occurred_at=now,
            customer_id=customer.customer_id,
            currency=CURRENCY,
            lines=lines,
            freight=cents(490 + int(order.distance_km * 0.8) + 60 * order.outstanding),
            requested_date=wish.date(),
            promised_date=order.promised,
            carrier_id=order.carrier.carrier_id,
            ship_to_city=customer.city.name,
            ship_to_country=customer.city.country,
        )

    def _order(self, customer: Customer, now: datetime) -> OpenOrder:
        distance = great_circle_km(customer.warehouse.city, customer.city)
        carrier, lateness = self._carrier(distance)
        lines = self._lines()
        order = OpenOrder(
            order_id=self._settings.name("SO", next(self._numbers)),
            customer=customer,
            carrier=carrier,
            lateness=lateness,
            distance_km=distance,
            promised=now.date(),
            lines=lines,
            outstanding=sum(line.quantity for line in lines.values()),
        )
        order.promised = (now + order.transit + HANDLING_DAYS * DAY).date()
        return order

    def _carrier(self, distance_km: float) -> tuple[Carrier, float]:
        """Return a carrier that serves the distance, and its lateness against the mean of those that do."""
        shares = CARRIERS_LONG if distance_km > LONG_HAUL_KM else CARRIERS_SHORT
        able = [each for each in self._world.carriers if each.mode in shares]
        weights = [shares[each.mode] for each in able]
        usual = sum(w * each.lateness for w, each in zip(weights, able, strict=True)) / sum(weights)
        carrier = self._chance.choices(able, weights)[0]
        return carrier, carrier.lateness / usual

    def _lines(self) -> dict[int, OpenLine]:
        chance = self._chance
        wanted = chance.choices(tuple(LINES), tuple(LINES.values()))[0]
        drawn = chance.choices(self._world.products, cum_weights=self._products, k=wanted)
        distinct = {each.product_id: each for each in drawn}.values()
        units = chance.choices(tuple(UNITS), tuple(UNITS.values()), k=len(distinct))
        return {
            line_no: OpenLine(line_no, product, quantity)
            for line_no, (product, quantity) in enumerate(zip(distinct, units, strict=True), 1)
        }

    def _ordered(self, line: OpenLine) -> OrderedLine:
        reduced = self._chance.random() < DISCOUNT_SHARE
        return OrderedLine(
            line_no=line.line_no,
            product_id=line.product.product_id,
            quantity=line.quantity,
            unit_price=self.prices[line.product.product_id],
            discount=Decimal(self._chance.choice(DISCOUNTS)) if reduced else Decimal(0),
        )
