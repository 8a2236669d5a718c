"""The made-up supply chain as commands in order of business time, and as messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from application.ingest.messages import encode_command
from application.ports.message_stream import OutgoingMessage
from application.simulation import orders, registration
from application.simulation.fulfilment import Fulfilment
from application.simulation.housekeeping import Housekeeping
from application.simulation.orders import Ordering
from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings, Timed
from application.simulation.stockroom import Demand, Stockroom
from application.simulation.world import World, world_of
from domain.inventory.commands import PickStock, ReleaseReservation, ReserveStock, ReturnStock, ShipStock
from domain.order.commands import (
    AllocateOrderLines,
    BackorderOrderLines,
    CloseOrder,
    DeliverOrderLines,
    ReleaseAllocation,
    ShipOrderLines,
)
from domain.shipment.commands import RecordRoute

ACTOR = "generator"
DECIDED_BY_PLATFORM = frozenset(
    {
        AllocateOrderLines,
        BackorderOrderLines,
        CloseOrder,
        DeliverOrderLines,
        PickStock,
        RecordRoute,
        ReleaseAllocation,
        ReleaseReservation,
        ReserveStock,
        ReturnStock,
        ShipOrderLines,
        ShipStock,
    }
)
"""What follows from orders, receipts and carriers' reports; an order is closed by whoever sees that it is done."""
SECONDS_A_DAY = 86_400


def simulate(settings: SimulationSettings) -> Iterator[Timed]:
    """Yield the commands of a period in order of business time; what is under way at its end stays open."""
    settings = replace(settings, start=settings.start.astimezone(UTC))
    until = settings.start + timedelta(days=settings.days)
    schedule = _begin(settings, orders.arrivals(settings), settings.orders / settings.days, live=False)
    return _told(schedule.run(until), settings)


def simulate_live(settings: SimulationSettings) -> Iterator[Timed]:
    """Yield commands without end; `at` is when the wall clock, begun at `start`, should release them.

    `occurred_at` is business time, which passes `speed` times as fast; with a speed of 1 both are equal.
    """
    settings = replace(settings, start=settings.start.astimezone(UTC))
    per_day = settings.orders_per_second / settings.speed * SECONDS_A_DAY
    schedule = _begin(settings, orders.live_arrivals(settings), per_day, live=True)
    for timed in _told(schedule.run(), settings):
        yield timed._replace(at=settings.start + (timed.at - settings.start) / settings.speed)


def messages(settings: SimulationSettings) -> Iterator[OutgoingMessage]:
    """Yield the messages of `simulate`, ready to publish."""
    for number, timed in enumerate(simulate(settings), 1):
        yield message_of(timed, number, settings)


def messages_by_day(settings: SimulationSettings) -> Iterator[list[OutgoingMessage]]:
    """Yield the same messages, those of a day of business time at once."""
    numbered = enumerate(simulate(settings), 1)
    for _, day in groupby(numbered, key=lambda each: each[1].at.date()):
        yield [message_of(timed, number, settings) for number, timed in day]


def message_of(timed: Timed, number: int, settings: SimulationSettings) -> OutgoingMessage:
    """Build the message of a run's command with this running number; ids sort as the numbers do."""
    return encode_command(
        timed.command,
        message_id=f"{settings.run}-{number:010d}" if settings.run else f"{number:010d}",
        source=f"generator/{settings.seed}",
        correlation_id=timed.correlation_id,
        actor=ACTOR,
    )


def _told(commands: Iterator[Timed], settings: SimulationSettings) -> Iterator[Timed]:
    """Leave out what the platform decides by itself, where it does."""
    if not settings.platform_decides:
        return commands
    return (timed for timed in commands if type(timed.command) not in DECIDED_BY_PLATFORM)


def _begin(
    settings: SimulationSettings, arrivals: Iterator[datetime], orders_per_day: float, *, live: bool
) -> Schedule:
    world = world_of(settings.seed)
    schedule = Schedule(settings.start)
    ordering = Ordering(settings, world)
    stockroom = Stockroom(settings, schedule)
    if settings.register_catalog:
        registration.register(world, schedule)
    if settings.register_catalog and not live:
        schedule.start(registration.revise_prices(world, ordering, schedule, settings))
    _open(world, stockroom, orders_per_day)
    schedule.start(_place_orders(ordering, Fulfilment(settings, schedule, stockroom), arrivals, schedule))
    if orders_per_day:
        schedule.start(Housekeeping(settings, schedule, stockroom).work(orders_per_day))
    return schedule


def _open(world: World, stockroom: Stockroom, orders_per_day: float) -> None:
    units, squared_units = orders.mean(orders.UNITS), orders.mean(orders.UNITS, 2)
    lines_per_day = orders_per_day * orders.mean(orders.LINES)
    warehouse_shares, product_shares = world.warehouse_shares(), world.product_shares()
    for warehouse in world.warehouses:
        for product in world.products:
            share = warehouse_shares[warehouse.location_id] * product_shares[product.product_id]
            stockroom.open(product, warehouse, Demand(lines_per_day * share, units, squared_units))


def _place_orders(
    ordering: Ordering, fulfilment: Fulfilment, arrivals: Iterator[datetime], schedule: Schedule
) -> Process:
    for at in arrivals:
        yield at
        schedule.start(fulfilment.life(*ordering.place(schedule.now)))
