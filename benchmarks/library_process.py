"""The eventsourcing library's process application used as its documentation shows: a policy for each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.system import ProcessApplication, SingleThreadedRunner, System
from psycopg.conninfo import conninfo_to_dict

from benchmarks.measure import seconds

Line = tuple[str, int]


class PlacedOrder(Aggregate):
    """An order as it is placed."""

    class Placed(Aggregate.Created):
        """The order was placed with lines of a product and a quantity."""

        lines: list[list[Any]]

    @event(Placed)
    def __init__(self, lines: list[list[Any]]) -> None:
        self.lines = lines


class Shelf(Aggregate):
    """The units of a product."""

    @event("Opened")
    def __init__(self, product: str, units: int) -> None:
        self.product = product
        self.available = units

    @event("Reserved")
    def reserve(self, units: int) -> None:
        """Set units aside."""
        self.available -= units

    @staticmethod
    def create_id(product: str) -> UUID:
        """Find a shelf by its product."""
        return uuid5(NAMESPACE_URL, product)


class Allocation(Aggregate):
    """What an order got, line by line."""

    @event("Opened")
    def __init__(self) -> None:
        self.got: list[int] = []

    @event("Allocated")
    def allocate(self, units: int) -> None:
        """Note the units of the next line; 0 waits for stock."""
        self.got.append(units)


class Orders(Application[UUID]):
    """Takes orders."""

    def place(self, lines: Sequence[Line]) -> None:
        """Place one."""
        self.save(PlacedOrder([list(line) for line in lines]))


class Allocating(ProcessApplication[UUID]):
    """Reserves the lines of each order that was placed."""

    def open(self, product: str, units: int) -> None:
        """Put units of a product on the shelf."""
        self.save(Shelf(product, units))

    @singledispatchmethod
    def policy(self, domain_event: Any, processing_event: ProcessingEvent[UUID]) -> None:
        """Do nothing about other events."""

    @policy.register
    def _(self, domain_event: PlacedOrder.Placed, processing_event: ProcessingEvent[UUID]) -> None:
        allocation = Allocation()
        for product, units in domain_event.lines:
            shelf: Any = self.repository.get(Shelf.create_id(product))
            got = units if shelf.available >= units else 0
            if got:
                shelf.reserve(got)
                processing_event.collect_events(shelf)
            allocation.allocate(got)
        processing_event.collect_events(allocation)


def orders_per_second(conninfo: str, stock: Sequence[Line], orders: Sequence[Sequence[Line]]) -> float:
    """Return how many orders a second the library's process takes, placing them included."""
    parts = conninfo_to_dict(conninfo)
    system = System(pipes=[[Orders, Allocating]])
    runner: SingleThreadedRunner[UUID] = SingleThreadedRunner(
        system,
        {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts["host"]),
            "POSTGRES_PORT": str(parts.get("port") or 5432),
            "POSTGRES_USER": str(parts["user"]),
            "POSTGRES_PASSWORD": "",
        },
    )
    with runner:
        placing, allocating = runner.get(Orders), runner.get(Allocating)
        for line in stock:
            allocating.open(*line)

        def place_all() -> None:
            for lines in orders:
                placing.place(lines)

        return len(orders) / seconds(place_all)
