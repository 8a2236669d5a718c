"""A house with the real runner on a store in memory: what sources say goes in, what processes decide comes out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.memory.event_store import MemoryCaseBook, MemoryDatabase, MemoryEventStore
from application import codec
from application.aggregates import AGGREGATE_OF_COMMAND, AGGREGATE_OF_EVENT
from application.ports.cases import Case
from application.ports.event_store import Batch, EventStore, NewEvent
from application.process_runner.fulfilling import Fulfilling
from application.process_runner.runner import Runner
from domain.inventory.commands import ReceiveStock
from domain.inventory.state import Stock
from domain.order.commands import OrderedLine, PlaceOrder
from domain.order.state import Order
from domain.shipment.commands import DeliverShipment, DispatchShipment, PlanShipment, ShipmentLine

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def tell(store: EventStore, *commands: Any, correlation_id: str = "told") -> None:
    """Let the domain decide commands as ingest would, and append the events, each in a batch of its own."""
    for command in commands:
        aggregate = AGGREGATE_OF_COMMAND[type(command)]
        stream_id = aggregate.stream_of(command)
        state, version = state_of(store, stream_id)
        metadata = codec.Metadata(NOON, "message-1", correlation_id, "test")
        new = [
            NewEvent(stream_id, number, event.TOPIC, codec.encode(event, metadata))
            for number, event in enumerate(aggregate.decide(state, command), version + 1)
        ]
        store.append(Batch(events=new))


def state_of(store: EventStore, stream_id: str) -> tuple[Any, int]:
    state: Any = None
    version = 0
    for recorded in store.load([stream_id]).get(stream_id, ()):
        event = codec.decode(*recorded)
        state, version = AGGREGATE_OF_EVENT[type(event)].evolve(state, event), recorded.version
    return state, version


class House:
    """Orders, stocks, shipments; and fulfilment, which runs when it is told to."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.store = MemoryEventStore(self.database)
        self.cases = MemoryCaseBook(self.database)
        self.restart()

    def restart(self) -> None:
        """Forget all that is in memory, as a process that was killed does."""
        self.runner = Runner(Fulfilling(self.store), self.store, self.cases, lambda: NOON)

    def tell(self, *commands: Any) -> None:
        tell(self.store, *commands)

    def run(self) -> list[str]:
        """Run fulfilment to the end; return the topics of the events that it appended."""
        before = len(self.database.log)
        self.runner.run()
        return [event.topic.rpartition(".v")[0] for event in self.database.log[before:]]

    def order(self, order_id: str) -> Order:
        state, _ = state_of(self.store, f"order-{order_id}")
        assert isinstance(state, Order)
        return state

    def stock(self, product_id: str, location_id: str) -> Stock:
        state, _ = state_of(self.store, f"inventory-{product_id}@{location_id}")
        assert isinstance(state, Stock)
        return state

    def open_cases(self) -> list[Case]:
        return self.cases.cases("fulfilment")

    def topics(self) -> Counter[str]:
        return Counter(event.topic.rpartition(".v")[0] for event in self.database.log)


def placed(order_id: str, *lines: tuple[str, int], minutes: int = 0, customer_id: str = "C1") -> PlaceOrder:
    return PlaceOrder(
        order_id=order_id,
        occurred_at=NOON + timedelta(minutes=minutes),
        customer_id=customer_id,
        currency="EUR",
        lines=tuple(
            OrderedLine(line_no=number, product_id=product_id, quantity=units, unit_price=Decimal(5))
            for number, (product_id, units) in enumerate(lines, 1)
        ),
    )


def received(product_id: str, location_id: str, units: int, minutes: int = 0) -> ReceiveStock:
    return ReceiveStock(
        product_id=product_id,
        location_id=location_id,
        occurred_at=NOON + timedelta(minutes=minutes),
        quantity=units,
    )


def planned(shipment_id: str, order_id: str, origin: str | None, *lines: tuple[int, str, int]) -> PlanShipment:
    return PlanShipment(
        shipment_id=shipment_id,
        occurred_at=NOON,
        order_id=order_id,
        lines=tuple(ShipmentLine(line_no=no, product_id=product, quantity=units) for no, product, units in lines),
        carrier_id="DHL",
        origin_location_id=origin,
    )


def dispatched(shipment_id: str) -> DispatchShipment:
    return DispatchShipment(shipment_id=shipment_id, occurred_at=NOON + timedelta(hours=1))


def delivered(shipment_id: str) -> DeliverShipment:
    return DeliverShipment(shipment_id=shipment_id, occurred_at=NOON + timedelta(hours=2))
