"""One stream's history: what each event changed, and the state that it left."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from application import codec
from application.ports.event_store import Batch, NewEvent
from application.queries.views.history import changed, history
from domain.order.commands import OrderedLine, PlaceOrder
from domain.order.events import OrderConfirmed
from domain.order.placing import place

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LINE = OrderedLine(line_no=1, product_id="P", quantity=3, unit_price=Decimal(2), discount=Decimal(0))


def test_each_version_has_its_state_and_what_changed() -> None:
    events = (
        place(PlaceOrder(occurred_at=NOW, order_id="7", customer_id="C", currency="EUR", lines=(LINE,))),
        OrderConfirmed(occurred_at=NOW, promised_date=None),
    )
    store = MemoryEventStore(MemoryDatabase())
    meta = codec.Metadata(NOW, "shop 1", "shop 1", "orders.csv:2", "ann")
    store.append(Batch([NewEvent("order-7", n, type(e).TOPIC, codec.encode(e, meta)) for n, e in enumerate(events, 1)]))
    placed, confirmed = history(store, "order-7")
    assert (placed.title, confirmed.title) == ("Order placed", "Order confirmed")
    assert (placed.source, placed.actor, placed.recorded_at) == ("orders.csv:2", "ann", NOW)
    assert placed.state["confirmed"] is False
    assert changed([placed, confirmed], 1) == {"confirmed": (False, True)}
    assert changed([placed, confirmed], 0)["lines 1 ordered"] == (None, 3)
    assert history(store, "order-8") == ()
