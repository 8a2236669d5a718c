"""Every aggregate of the domain, with its commands, its events and the streams it lives in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Any, get_args

from domain.catalog import commands as catalog_commands
from domain.catalog import entry
from domain.catalog.events import CatalogEvent
from domain.inventory import commands as inventory_commands
from domain.inventory import stock
from domain.inventory.events import InventoryEvent
from domain.order import commands as order_commands
from domain.order import order
from domain.order.events import OrderEvent
from domain.shipment import commands as shipment_commands
from domain.shipment import shipment
from domain.shipment.events import ShipmentEvent


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One kind of aggregate.

    `decide(state, command) -> events` raises a `Refusal`; `evolve(state, event) -> state` only assigns;
    a stream that does not exist yet has the state None. `topic` is where its messages travel.
    """

    topic: str
    commands: tuple[type, ...]
    events: tuple[type, ...]
    stream_of: Callable[[Any], str]
    decide: Callable[[Any, Any], tuple[Any, ...]]
    evolve: Callable[[Any, Any], Any]


def _events(union: UnionType) -> tuple[type, ...]:
    return get_args(union)


def _catalog_stream(command: Any) -> str:
    kind = catalog_commands.KIND_OF[type(command)]
    return f"{kind}-{getattr(command, f'{kind}_id')}"


ORDER = Aggregate(
    topic="orders",
    commands=order_commands.COMMANDS,
    events=_events(OrderEvent),
    stream_of=lambda command: f"order-{command.order_id}",
    decide=order.decide,
    evolve=order.evolve,
)
SHIPMENT = Aggregate(
    topic="shipments",
    commands=shipment_commands.COMMANDS,
    events=_events(ShipmentEvent),
    stream_of=lambda command: f"shipment-{command.shipment_id}",
    decide=shipment.decide,
    evolve=shipment.evolve,
)
INVENTORY = Aggregate(
    topic="inventory",
    commands=inventory_commands.COMMANDS,
    events=_events(InventoryEvent),
    stream_of=lambda command: f"inventory-{command.product_id}@{command.location_id}",
    decide=stock.decide,
    evolve=stock.evolve,
)
CATALOG = Aggregate(
    topic="catalog",
    commands=catalog_commands.COMMANDS,
    events=_events(CatalogEvent),
    stream_of=_catalog_stream,
    decide=entry.decide,
    evolve=entry.evolve,
)

AGGREGATES = (ORDER, SHIPMENT, INVENTORY, CATALOG)
TOPICS = tuple(aggregate.topic for aggregate in AGGREGATES)
AGGREGATE_OF_COMMAND = {command: each for each in AGGREGATES for command in each.commands}
AGGREGATE_OF_EVENT = {event: each for each in AGGREGATES for event in each.events}
