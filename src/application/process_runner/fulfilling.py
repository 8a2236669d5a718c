"""Fulfilment at work: what it knows of stocks is folded from the log, orders and shipments are loaded as they come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from application import codec
from application.aggregates import ORDER, SHIPMENT
from application.ingest.states import Versioned
from application.ports.event_store import EventStore, RecordedEvent
from application.ports.inbox import Reason
from application.process_runner.draft import Draft, RefusedError
from application.process_runner.histories import Loaded, load
from application.processes import fulfilment
from application.processes.cause import Cause
from application.processes.fulfilment import Commands, Situation
from application.processes.order_history import OrderHistory, orders_named_by
from application.processes.shipment_history import ShipmentHistory
from application.processes.stockroom import Serving, Shelves, Stockroom
from domain.inventory.errors import StockUnknown
from domain.inventory.events import ReservationReleased, StockReturned
from domain.order.events import (
    AllocationReleased,
    OrderLineBackordered,
    OrderLineCancelled,
    OrderLineReturned,
    OrderLinesAdded,
    OrderLinesIncreased,
    OrderPlaced,
    OrderReleased,
)
from domain.shared.refusal import Refusal
from domain.shipment.events import ShipmentDelivered, ShipmentDispatched, ShipmentReturned

FULFILMENT = "fulfilment"
BATCH = 500
PAGE, PAGES = 10_000, 20
"""Events that are folded at once, and how often before somebody is told that it goes on."""


class Fulfilling:
    """The process `fulfilment` for a runner."""

    name = FULFILMENT
    topics = codec.topics_of(
        OrderPlaced,
        OrderLinesAdded,
        OrderLinesIncreased,
        OrderReleased,
        AllocationReleased,
        OrderLineCancelled,
        OrderLineReturned,
        ReservationReleased,
        ShipmentDispatched,
        ShipmentDelivered,
        ShipmentReturned,
    )

    def __init__(self, store: EventStore, batch_size: int = BATCH) -> None:
        self.batch_size = batch_size
        self.began: set[str] = set()
        self._store = store
        self._room = Stockroom()
        self._orders: dict[str, Loaded[OrderHistory]] = {}
        self._shipments: dict[str, Loaded[ShipmentHistory]] = {}
        self._shelves = Shelves(self._room, {})

    def catch_up(self, head: int) -> tuple[int, bool]:
        """Fold the stocks, and who waits for them, to the end of the log, or a good way towards it."""
        read = 0
        for _ in range(PAGES):
            events = self._store.read(self._room.position, PAGE, Stockroom.TOPICS)
            if not events:
                self._room.position = max(self._room.position, head)
                self._name_products()
                return read, True
            self._fold(events)
            read += len(events)
        return read, False

    def _fold(self, events: Sequence[RecordedEvent]) -> None:
        room = self._room
        for event in events:
            if room.concerns(event.stream_id, event.version, event.topic):
                if event.version == 1:
                    self.began.add(event.stream_id)
                room.apply(event.stream_id, event.version, codec.decode(*event))
        room.position = events[-1].position

    def _name_products(self) -> None:
        unnamed = {_order(order_id) for order_id in self._room.backlog.unnamed()}
        for loaded in load(self._store, unnamed, ORDER, OrderHistory).values():
            self._room.name_products(loaded.history.order_id, loaded.history.products)

    def state_of(self, stream_id: str) -> Versioned:
        """Return the state of a stock or an order."""
        kept = self._room.kept(stream_id)
        if kept is not None:
            return kept.state, kept.version
        loaded = self._orders.get(stream_id)
        return loaded.versioned if loaded else (None, 0)

    def decide(self, causes: Sequence[Cause], draft: Draft) -> None:
        """Serve who waits for stock that came, oldest first; then decide about the causes."""
        self._shelves = Shelves(self._room, draft.states)
        servings = list(self._room.servable(self.batch_size))
        self._load(causes, servings)
        for serving in servings:
            self._serve(serving, draft)
        for cause in causes:
            self._act(cause, draft)

    def committed(self, draft: Draft) -> None:
        """Take the stocks as they are now; the log will tell who waits, and they say for which products."""
        for stream_id, events in draft.new.items():
            if stream_id not in self._orders:
                self._room.adopt(stream_id, *draft.states[stream_id], events)
            elif any(type(event) is OrderLineBackordered for event in events):
                history = self._orders[stream_id].history
                self._room.name_products(history.order_id, history.products)

    def _load(self, causes: Sequence[Cause], servings: Iterable[Serving]) -> None:
        shipments = {cause.stream_id for cause in causes if cause.stream_id.startswith("shipment-")}
        self._shipments = load(self._store, shipments, SHIPMENT, ShipmentHistory)
        orders = {order for cause in causes for order in self._orders_of(cause)}
        orders |= {_order(each.order_id) for serving in servings for each in serving.waiting}
        self._orders = load(self._store, orders, ORDER, OrderHistory)
        returning = {
            f"shipment-{shipment_id}"
            for cause in causes
            if isinstance(cause.event, OrderLineReturned | ShipmentReturned)
            for order in self._orders_of(cause)
            if order in self._orders
            for shipment_id in self._orders[order].history.shipped
        }
        self._shipments |= load(self._store, returning - shipments, SHIPMENT, ShipmentHistory)

    def _orders_of(self, cause: Cause) -> list[str]:
        """Return the streams of the orders that a cause may concern."""
        if isinstance(cause.event, ReservationReleased):
            return [_order(order_id) for order_id in orders_named_by(cause.event.reservation_id)]
        shipment = self._shipments.get(cause.stream_id)
        if shipment is not None and shipment.history.plan is not None:
            return [_order(shipment.history.plan.order_id)]
        return [cause.stream_id]

    def _act(self, cause: Cause, draft: Draft) -> None:
        for order in self._orders_of(cause):
            if order in self._orders:
                self._carry_out(cause, order, draft)
            elif not isinstance(cause.event, ReservationReleased):
                draft.await_stream(cause, order)

    def _carry_out(self, cause: Cause, order: str, draft: Draft) -> None:
        try:
            commands = self._commands(cause, self._situation(order, draft))
            self._append(commands, order, cause.event_id, draft)
        except RefusedError as refused:
            if refused.code == StockUnknown.__name__:
                draft.await_stream(cause, refused.stream_id)
            else:
                draft.park(cause, refused.stream_id, Reason(refused.code, str(refused)))
        except Refusal as refusal:
            draft.park(cause, order, Reason(refusal.code, f"{order}: {refusal}"))
        else:
            draft.done(cause)

    def _commands(self, cause: Cause, situation: Situation) -> Commands:
        if isinstance(cause.event, OrderLineReturned | ShipmentReturned):
            sent = (self._shipments.get(f"shipment-{shipment_id}") for shipment_id in situation.history.shipped)
            return fulfilment.take_back(situation, [each.history for each in sent if each is not None])
        shipment = self._shipments.get(cause.stream_id)
        if shipment is not None:
            return fulfilment.follow_shipment(situation, shipment.history)
        return fulfilment.settle(situation, cause.event.occurred_at)

    def _serve(self, serving: Serving, draft: Draft) -> None:
        causation_id = codec.event_id(serving.cause_stream, serving.cause_version)
        for waiting in serving.waiting:
            order = _order(waiting.order_id)
            try:
                commands = fulfilment.settle(self._situation(order, draft), serving.occurred_at, (waiting.line_no,))
                self._append(commands, order, causation_id, draft)
            except (RefusedError, Refusal) as refused:
                version = self._orders[order].versioned[1]
                unserved = Cause(self._room.position, order, version, None)
                draft.park(unserved, order, Reason(refused.code, str(refused)))
                self._room.backlog.set_aside(waiting.order_id)

    def _situation(self, order: str, draft: Draft) -> Situation:
        loaded = self._orders[order]
        state, _ = draft.states.get(order) or loaded.versioned
        return Situation(state, loaded.history, self._shelves)

    def _append(self, commands: Commands, order: str, causation_id: str, draft: Draft) -> None:
        history = self._orders[order].history
        for stream_id, event in draft.carry_out(commands, causation_id, history.correlation_id):
            if stream_id == order:
                history.note(event)
            elif type(event) is StockReturned:
                self._shelves.credit(history.order_id, event.product_id, event.quantity)


def _order(order_id: str) -> str:
    return f"order-{order_id}"
