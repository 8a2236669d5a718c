"""Whatever comes in whatever order, with fulfilment run now and then: no unit is lost, promised twice or invented."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from application import codec
from domain.inventory.commands import AdjustStock, CountStock
from domain.order.commands import (
    AddOrderLines,
    CancelOrder,
    CancelOrderLines,
    HoldOrder,
    IncreaseOrderLines,
    LineQuantity,
    OrderedLine,
    ReleaseOrder,
    ReturnOrderLines,
)
from domain.order.events import OrderLinesAdded, OrderPlaced
from domain.order.state import Order
from domain.shared.refusal import Refusal
from tests.soak import SOAK
from tests.unit.application.processes.house import (
    NOON,
    House,
    delivered,
    dispatched,
    placed,
    planned,
    received,
    state_of,
)

PRODUCTS, LOCATIONS, ORDERS = ("A", "B"), ("m1", "m2"), ("1", "2", "3", "4")
product, location, order = st.sampled_from(PRODUCTS), st.sampled_from(LOCATIONS), st.sampled_from(ORDERS)
units = st.integers(1, 6)


def cancelled(order_id: str, quantity: int) -> CancelOrderLines:
    lines = (LineQuantity(line_no=1, quantity=quantity),)
    return CancelOrderLines(order_id=order_id, occurred_at=NOON, lines=lines, reason="too many")


def more(order_id: str, quantity: int) -> IncreaseOrderLines:
    lines = (LineQuantity(line_no=1, quantity=quantity),)
    return IncreaseOrderLines(order_id=order_id, occurred_at=NOON, lines=lines)


def added(order_id: str, product_id: str, quantity: int) -> AddOrderLines:
    line = OrderedLine(line_no=3, product_id=product_id, quantity=quantity, unit_price=Decimal(5))
    return AddOrderLines(order_id=order_id, occurred_at=NOON, lines=(line,))


def brought_back(order_id: str, quantity: int, reason: str) -> ReturnOrderLines:
    lines = (LineQuantity(line_no=1, quantity=quantity),)
    return ReturnOrderLines(order_id=order_id, occurred_at=NOON + timedelta(hours=3), lines=lines, reason=reason)


def sent(order_id: str, origin: str, product_id: str, quantity: int) -> Any:
    return planned(f"S{order_id}", order_id, origin, (1, product_id, quantity))


happening = st.one_of(
    st.builds(lambda o, p, n, q, m: placed(o, (p, n), (q, m)), order, product, units, product, units),
    st.builds(received, product, location, units),
    st.builds(
        lambda p, w, n: CountStock(product_id=p, location_id=w, occurred_at=NOON, counted=n), product, location, units
    ),
    st.builds(
        lambda p, w, n: AdjustStock(product_id=p, location_id=w, occurred_at=NOON, delta=-n, reason="lost"),
        product,
        location,
        units,
    ),
    st.builds(lambda o: CancelOrder(order_id=o, occurred_at=NOON, reason="changed"), order),
    st.builds(cancelled, order, units),
    st.builds(added, order, product, units),
    st.builds(more, order, units),
    st.builds(lambda o: HoldOrder(order_id=o, occurred_at=NOON, reason="credit"), order),
    st.builds(lambda o: ReleaseOrder(order_id=o, occurred_at=NOON), order),
    st.builds(sent, order, location, product, units),
    st.builds(lambda o: dispatched(f"S{o}"), order),
    st.builds(lambda o: delivered(f"S{o}"), order),
    st.builds(brought_back, order, units, st.sampled_from(("not needed", "damaged"))),
    st.sampled_from(("run", "restart", "replay")),
)


@given(st.lists(happening, min_size=20, max_size=400 if SOAK else 60))
def test_stocks_and_lines_stay_sound_under_any_interleaving(happenings: list[Any]) -> None:
    house = House()
    for each in happenings:
        if isinstance(each, str):
            if each == "replay":
                house.database.tracking.pop("fulfilment", None)
            if each != "run":
                house.restart()
            house.run()
            continue
        try:
            house.tell(each)
        except Refusal:
            continue
    house.run()
    require_sound(house)
    house.database.tracking.pop("fulfilment", None)
    house.restart()
    assert house.run() == [], "running it again from the beginning of the log decides nothing more"


def require_sound(house: House) -> None:
    for recorded in house.database.log:
        event = codec.decode(*recorded)
        if hasattr(event, "on_hand"):
            assert event.on_hand >= event.reserved + event.quarantined >= 0, recorded
    reserved: Counter[str] = Counter()
    available: Counter[str] = Counter()
    for product_id in PRODUCTS:
        for location_id in LOCATIONS:
            stock, _ = state_of(house.store, f"inventory-{product_id}@{location_id}")
            if stock is not None:
                available[product_id] += stock.available
                for name, reservation in stock.reservations.items():
                    reserved["/".join(name.split("/")[:2])] += reservation.remaining
    parked = {case.event_id.split(":")[0] for case in house.open_cases()}
    for order_id in ORDERS:
        found, _ = state_of(house.store, f"order-{order_id}")
        if isinstance(found, Order):
            require_sound_lines(house, found, reserved, available, parked)


def require_sound_lines(
    house: House, order: Order, reserved: Counter[str], available: Counter[str], parked: set[str]
) -> None:
    stream = f"order-{order.order_id}"
    history = (codec.decode(*recorded) for recorded in house.store.load([stream])[stream])
    products = {
        line.line_no: line.product_id
        for event in history
        if isinstance(event, OrderPlaced | OrderLinesAdded)
        for line in event.lines
    }
    for line in order.lines.values():
        parts = line.open + line.backordered + line.allocated + line.shipped + line.cancelled
        assert parts == line.ordered, line
        assert reserved[f"{order.order_id}/{line.line_no}"] == line.allocated, (line, "reserved is what is allocated")
        if not order.held and f"order-{order.order_id}" not in parked:
            assert line.open == 0, (line, "every unit is decided about")
            assert not (line.backordered and available[products[line.line_no]]), (line, "nobody waits beside stock")
