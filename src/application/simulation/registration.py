"""The catalog's commands: every entry registered at the start, a few products revised later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from application.simulation.geography import City
from application.simulation.orders import Ordering
from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings
from application.simulation.world import CURRENCY, Product, World
from domain.catalog.commands import (
    RegisterCarrier,
    RegisterCustomer,
    RegisterLocation,
    RegisterProduct,
    RegisterSupplier,
    ReviseProduct,
)
from domain.shared.measures import round_money

REVISED_SHARE = 0.05
CORRELATION = "catalog"


def register(world: World, schedule: Schedule) -> None:
    """Register the whole catalog, now."""
    now = schedule.now
    for command in (*_places(world, now), *_partners(world, now), *_goods(world, now)):
        schedule.emit(command, CORRELATION)


def revise_prices(world: World, ordering: Ordering, schedule: Schedule, settings: SimulationSettings) -> Process:
    """Change the price of a few products, at moments spread over the period."""
    chance = settings.random("prices")
    revised = chance.sample(world.products, round(len(world.products) * REVISED_SHARE))
    pause = timedelta(days=settings.days) / (len(revised) + 1)
    for product in revised:
        yield (schedule.now + pause).replace(microsecond=0)
        # A tenth to a fifth up or down: always another price, also after rounding.
        factor = chance.choice((0.8, 0.85, 0.9, 1.1, 1.15, 1.2))
        price = round_money(product.unit_price * round(factor * 100) / 100)
        ordering.prices[product.product_id] = price
        command = ReviseProduct(
            product_id=product.product_id,
            occurred_at=schedule.now,
            **{**_details(product), "unit_price": price},
        )
        schedule.emit(command, CORRELATION)


def _places(world: World, now: datetime) -> list[RegisterLocation]:
    return [
        RegisterLocation(
            location_id=each.location_id,
            occurred_at=now,
            name=each.name,
            kind="warehouse",
            **_address(each.city),
        )
        for each in world.warehouses
    ]


def _partners(world: World, now: datetime) -> list[Any]:
    carriers = [
        RegisterCarrier(carrier_id=each.carrier_id, occurred_at=now, name=each.name, mode=each.mode)
        for each in world.carriers
    ]
    suppliers = [
        RegisterSupplier(
            supplier_id=each.supplier_id,
            occurred_at=now,
            name=each.name,
            lead_time_days=each.lead_time_days,
            **_address(each.city),
        )
        for each in world.suppliers
    ]
    customers = [
        RegisterCustomer(
            customer_id=each.customer_id,
            occurred_at=now,
            name=each.name,
            segment=each.segment,
            **_address(each.city),
        )
        for each in world.customers
    ]
    return [*carriers, *suppliers, *customers]


def _goods(world: World, now: datetime) -> list[RegisterProduct]:
    return [RegisterProduct(product_id=each.product_id, occurred_at=now, **_details(each)) for each in world.products]


def _details(product: Product) -> dict[str, Any]:
    return {
        "name": product.name,
        "category": product.category,
        "supplier_id": product.supplier.supplier_id,
        "unit_price": product.unit_price,
        "unit_cost": product.unit_cost,
        "currency": CURRENCY,
    }


def _address(city: City) -> dict[str, Any]:
    return {
        "city": city.name,
        "country": city.country,
        "latitude": city.latitude,
        "longitude": city.longitude,
    }
