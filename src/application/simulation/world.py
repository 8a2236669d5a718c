"""The catalog of the made-up world: suppliers, products, carriers, warehouses, customers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, product
from random import Random

from application.simulation.geography import CITIES, CITY, City, great_circle_km
from application.simulation.names import (
    CARRIERS,
    CATEGORIES,
    COMPANY_ENDINGS,
    COMPANY_NAMES,
    SEGMENTS,
    SUPPLIER_ENDINGS,
    VARIANTS,
)
from application.simulation.settings import random_of

CURRENCY = "EUR"
SUPPLIERS = 50
CUSTOMERS = 200
WAREHOUSE_CITIES = ("Rotterdam", "Chicago", "São Paulo", "Johannesburg", "Singapore", "Shanghai")


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier, and the days from ordering to receiving."""

    supplier_id: str
    name: str
    city: City
    lead_time_days: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product; price and cost per unit in EUR."""

    product_id: str
    name: str
    category: str
    supplier: Supplier
    unit_price: Decimal
    unit_cost: Decimal


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier: kilometres a day, and how often it is late compared with the others."""

    carrier_id: str
    name: str
    mode: str
    km_per_day: float
    lateness: float


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A location that keeps stock."""

    location_id: str
    name: str
    city: City


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, and the warehouse nearest to it."""

    customer_id: str
    name: str
    segment: str
    city: City
    warehouse: Warehouse


@dataclass(frozen=True, slots=True)
class World:
    """The whole catalog; a product's and a customer's weight say how often it is ordered, or orders."""

    suppliers: tuple[Supplier, ...]
    products: tuple[Product, ...]
    carriers: tuple[Carrier, ...]
    warehouses: tuple[Warehouse, ...]
    customers: tuple[Customer, ...]
    product_weights: tuple[float, ...]
    customer_weights: tuple[float, ...]

    def product_shares(self) -> dict[str, float]:
        """Return each product's share of the order lines."""
        total = sum(self.product_weights)
        return {
            each.product_id: weight / total for each, weight in zip(self.products, self.product_weights, strict=True)
        }

    def warehouse_shares(self) -> dict[str, float]:
        """Return each warehouse's share of the orders."""
        shares = dict.fromkeys((each.location_id for each in self.warehouses), 0.0)
        total = sum(self.customer_weights)
        for customer, weight in zip(self.customers, self.customer_weights, strict=True):
            shares[customer.warehouse.location_id] += weight / total
        return shares


@lru_cache(maxsize=8)
def world_of(seed: int) -> World:
    """Return the world of a seed, always the same."""
    chance = random_of(f"{seed}/world")
    suppliers = tuple(_supplier(number, chance) for number in range(1, SUPPLIERS + 1))
    products = _products(suppliers, chance)
    warehouses = tuple(
        Warehouse(f"WH-{number}", f"{city} distribution centre", CITY[city])
        for number, city in enumerate(WAREHOUSE_CITIES, 1)
    )
    customers = tuple(_customer(number, warehouses, chance) for number in range(1, CUSTOMERS + 1))
    return World(
        suppliers=suppliers,
        products=products,
        carriers=tuple(Carrier(f"CR-{number}", *each) for number, each in enumerate(CARRIERS, 1)),
        warehouses=warehouses,
        customers=customers,
        product_weights=_popularity(len(products), chance),
        customer_weights=_popularity(len(customers), chance),
    )


def cents(amount: int) -> Decimal:
    """Return an amount of cents as money with two places."""
    return Decimal(amount).scaleb(-2)


def cumulative(weights: tuple[float, ...]) -> list[float]:
    """Return the running totals of weights, as `random.choices` takes them."""
    return list(accumulate(weights))


def _supplier(number: int, chance: Random) -> Supplier:
    name = f"{COMPANY_NAMES[number % len(COMPANY_NAMES)]} {chance.choice(SUPPLIER_ENDINGS)}"
    return Supplier(f"SUP-{number:03d}", name, chance.choice(CITIES), chance.randint(3, 14))


def _products(suppliers: tuple[Supplier, ...], chance: Random) -> tuple[Product, ...]:
    products: list[Product] = []
    for category, (cheapest, dearest, nouns) in CATEGORIES.items():
        for noun, variant in product(nouns, VARIANTS):
            price = chance.randint(cheapest, dearest)
            products.append(
                Product(
                    product_id=f"PRD-{len(products) + 1:03d}",
                    name=f"{variant} {noun}",
                    category=category,
                    supplier=suppliers[len(products) % len(suppliers)],
                    unit_price=cents(price),
                    unit_cost=cents(round(price * chance.uniform(0.45, 0.75))),
                )
            )
    return tuple(products)


def _customer(number: int, warehouses: tuple[Warehouse, ...], chance: Random) -> Customer:
    stem = COMPANY_NAMES[number % len(COMPANY_NAMES)]
    ending = COMPANY_ENDINGS[number // len(COMPANY_NAMES) % len(COMPANY_ENDINGS)]
    city = chance.choice(CITIES)
    nearest = min(warehouses, key=lambda each: great_circle_km(each.city, city))
    return Customer(f"CUS-{number:04d}", f"{stem} {ending}", chance.choice(SEGMENTS), city, nearest)


def _popularity(count: int, chance: Random) -> tuple[float, ...]:
    """Few are popular, many are not: weights that fall with the rank (Zipf's law), in random order."""
    weights = [1 / (rank + 5) ** 0.8 for rank in range(count)]
    chance.shuffle(weights)
    return tuple(weights)
