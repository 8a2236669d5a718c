"""A small supply chain told as commands, decided by the domain into a log."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from application.aggregates import AGGREGATE_OF_COMMAND
from application.codec import Recorded
from domain.catalog import commands as catalog
from domain.inventory import commands as stock
from domain.order import commands as order
from domain.shipment import commands as shipment


def at(day: str) -> datetime:
    """Return noon (UTC) of a day in 2024, given as `01-31`; or the time given as `01-31T00:00`."""
    return datetime.fromisoformat(f"2024-{day}{'' if 'T' in day else 'T12:00'}+00:00")


def on(day: str) -> date:
    return date.fromisoformat(f"2024-{day}")


class Story:
    """Commands decided one after the other; `log` is what was recorded, with gaps in the positions."""

    def __init__(self) -> None:
        self.log: list[Recorded] = []
        self._states: dict[str, Any] = {}
        self._versions: dict[str, int] = {}

    def tell(self, *commands: Any) -> None:
        for command in commands:
            aggregate = AGGREGATE_OF_COMMAND[type(command)]
            stream_id = aggregate.stream_of(command)
            for event in aggregate.decide(self._states.get(stream_id), command):
                version = self._versions[stream_id] = self._versions.get(stream_id, 0) + 1
                self._states[stream_id] = aggregate.evolve(self._states.get(stream_id), event)
                self.log.append(Recorded(10 + 2 * len(self.log), stream_id, version, event))


def _order(order_id: str, day: str, *lines: order.OrderedLine, **more: Any) -> order.PlaceOrder:
    values = {"customer_id": "c1", "currency": "EUR", "ship_to_country": "France", **more}
    return order.PlaceOrder(order_id=order_id, occurred_at=at(day), lines=lines, **values)


def _line(no: int, product: str, quantity: int, price: str, discount: str = "0") -> order.OrderedLine:
    return order.OrderedLine(
        line_no=no,
        product_id=product,
        quantity=quantity,
        unit_price=Decimal(price),
        discount=Decimal(discount),
    )


def _units(no: int, quantity: int) -> tuple[order.LineQuantity, ...]:
    return (order.LineQuantity(line_no=no, quantity=quantity),)


def _ship(order_id: str, day: str, no: int, quantity: int, shipment_id: str) -> order.ShipOrderLines:
    return order.ShipOrderLines(
        order_id=order_id,
        occurred_at=at(day),
        lines=_units(no, quantity),
        shipment_id=shipment_id,
        carrier_id="dhl",
    )


def _deliver(order_id: str, day: str, no: int, quantity: int) -> order.DeliverOrderLines:
    return order.DeliverOrderLines(order_id=order_id, occurred_at=at(day), lines=_units(no, quantity))


def _plan(shipment_id: str, order_id: str, day: str, delivery: str) -> shipment.PlanShipment:
    return shipment.PlanShipment(
        shipment_id=shipment_id,
        order_id=order_id,
        occurred_at=at(day),
        lines=(shipment.ShipmentLine(line_no=1, product_id="tea", quantity=4),),
        carrier_id="dhl",
        origin_location_id="hamburg",
        destination_country="France",
        planned_delivery_at=at(delivery),
    )


def _catalog() -> tuple[Any, ...]:
    tea = {"product_id": "tea", "supplier_id": "acme", "currency": "EUR"}
    return (
        catalog.RegisterProduct(
            **tea,
            occurred_at=at("01-01"),
            name="Tea",
            category="Beverages",
            unit_price=Decimal(10),
            unit_cost=Decimal(6),
        ),
        catalog.RegisterProduct(
            product_id="nut",
            occurred_at=at("03-01"),
            name="Nut",
            category="Snacks",
            supplier_id="acme",
            unit_price=Decimal(4),
            currency="EUR",
        ),
        catalog.RegisterSupplier(supplier_id="acme", occurred_at=at("01-01"), name="Acme", lead_time_days=4),
        catalog.RegisterCustomer(customer_id="c1", occurred_at=at("01-01"), name="Carla", segment="retail"),
        catalog.RegisterCarrier(carrier_id="ups", occurred_at=at("01-01"), name="UPS"),
        catalog.RegisterLocation(location_id="hamburg", occurred_at=at("01-01"), name="Hamburg"),
    )


def _orders() -> tuple[Any, ...]:
    return (
        _order(
            "o1",
            "01-10",
            _line(1, "tea", 10, "10.00", "0.1"),
            _line(2, "nut", 5, "4.00"),
            freight=Decimal("11.00"),
            requested_date=on("01-20"),
            promised_date=on("01-24"),
            carrier_id="ups",
        ),
        _ship("o1", "01-15", 1, 10, "s1"),
        _ship("o1", "01-21", 2, 5, "s1"),
        _deliver("o1", "01-18", 1, 10),
        _deliver("o1", "01-25", 2, 5),
        _order("o2", "02-10", _line(1, "tea", 4, "12.00"), requested_date=on("02-20")),
        _ship("o2", "02-12", 1, 4, "s2"),
        _deliver("o2", "02-14", 1, 4),
        order.ReturnOrderLines(order_id="o2", occurred_at=at("02-16"), lines=_units(1, 1), reason="stale"),
        _order("o3", "02-11", _line(1, "nut", 3, "4.00"), customer_id="c2", carrier_id="ups"),
        order.BackorderOrderLines(order_id="o3", occurred_at=at("02-11"), lines=_units(1, 2)),
        _order("o4", "02-11", _line(1, "tea", 1, "12.00"), carrier_id="ups"),
        order.CancelOrder(order_id="o4", occurred_at=at("02-12"), reason="doubled"),
    )


def _stock() -> tuple[Any, ...]:
    tea = {"product_id": "tea", "location_id": "hamburg"}
    nut = {"product_id": "nut", "location_id": "hamburg"}
    ordered = {"supplier_id": "acme", "ordered_at": at("01-02")}
    return (
        stock.SetReorderPoint(**tea, occurred_at=at("01-02"), reorder_point=18),
        stock.ReceiveStock(**tea, occurred_at=at("01-05"), quantity=30, **ordered),
        stock.ReceiveStock(**nut, occurred_at=at("01-07"), quantity=8, **ordered),
        stock.ShipStock(**tea, occurred_at=at("01-15"), quantity=10, shipment_id="s1"),
        stock.ReserveStock(**nut, occurred_at=at("01-17"), reservation_id="o3/1", quantity=3),
        stock.AdjustStock(**tea, occurred_at=at("01-08"), delta=-2, reason="found late"),
        stock.CountStock(**nut, occurred_at=at("02-02"), counted=7),
    )


def _shipments() -> tuple[Any, ...]:
    return (
        _plan("s1", "o1", "01-14", "01-17"),
        shipment.DispatchShipment(shipment_id="s1", occurred_at=at("01-15")),
        shipment.RaiseShipmentException(shipment_id="s1", occurred_at=at("01-16"), exception_id="x1", kind="customs"),
        shipment.DeliverShipment(shipment_id="s1", occurred_at=at("01-18")),
        _plan("s2", "o2", "02-11", "02-15"),
        shipment.DispatchShipment(shipment_id="s2", occurred_at=at("02-12")),
        shipment.DeliverShipment(shipment_id="s2", occurred_at=at("02-14")),
        _plan("s3", "o3", "02-12", "02-15"),
        shipment.VoidShipment(shipment_id="s3", occurred_at=at("02-13"), reason="nothing to send"),
    )


def _later_in_the_catalog() -> tuple[Any, ...]:
    """What the catalog learns after the facts: tea changes in February, DHL was never registered before."""
    return (
        catalog.ReviseProduct(
            product_id="tea",
            occurred_at=at("02-01T00:00"),
            name="Green Tea",
            category="Drinks",
            supplier_id="acme",
            unit_price=Decimal(12),
            currency="EUR",
        ),
        catalog.RegisterCarrier(carrier_id="dhl", occurred_at=at("02-20"), name="DHL"),
    )


def tell_everything() -> list[Recorded]:
    """Return the log of the whole story."""
    story = Story()
    story.tell(*_catalog(), *_orders(), *_stock(), *_shipments(), *_later_in_the_catalog())
    return story.log


def tell_of_a_late_order() -> list[Recorded]:
    """Return a log in which shipments are told before their order, the order grows, and a product is revised last.

    The tea that was ordered in February is the revised one.
    """
    story = Story()
    story.tell(_catalog()[0], _plan("s1", "o1", "02-14", "02-17"), _plan("s2", "o1", "02-15", "02-17"))
    story.tell(_order("o1", "02-10", _line(1, "tea", 10, "10")))
    story.tell(order.AddOrderLines(order_id="o1", occurred_at=at("02-11"), lines=(_line(2, "nut", 2, "5"),)))
    story.tell(_later_in_the_catalog()[0])
    return story.log


def tell_of_two_suppliers() -> list[Recorded]:
    """Return a log of orders whose lines differ in more than one way, and of a shipment whose order never came.

    Tea is a drink of acme, nuts a snack of best, juice a drink of best. m1 has tea, which waits for stock, and nuts,
    which were allocated in hamburg; m2 has juice, allocated in bremen. s1 carries tea of m1, s9 of an unknown order.
    Tea costs 10 euros, juice 2 dollars; there are 3 of the one and 5 of the other in stock.
    """
    story = Story()
    costs: dict[str, dict[str, Any]] = {
        "tea": {"unit_cost": Decimal(10), "currency": "EUR"},
        "juice": {"unit_cost": Decimal(2), "currency": "USD"},
    }
    for product, category, supplier in (
        ("tea", "Drinks", "acme"),
        ("nut", "Snacks", "best"),
        ("juice", "Drinks", "best"),
    ):
        story.tell(
            catalog.RegisterProduct(
                product_id=product,
                occurred_at=at("01-01"),
                name=product,
                category=category,
                supplier_id=supplier,
                **costs.get(product, {}),
            )
        )
    story.tell(
        _order("m1", "01-10", _line(1, "tea", 10, "10"), _line(2, "nut", 5, "4")),
        _order("m2", "01-11", _line(1, "juice", 2, "3"), currency="USD"),
        order.BackorderOrderLines(order_id="m1", occurred_at=at("01-11"), lines=_units(1, 10)),
        order.AllocateOrderLines(order_id="m1", occurred_at=at("01-11"), lines=_units(2, 5), location_id="hamburg"),
        order.AllocateOrderLines(order_id="m2", occurred_at=at("01-12"), lines=_units(1, 2), location_id="bremen"),
        _plan("s1", "m1", "01-14", "01-17"),
        _plan("s9", "m9", "01-14", "01-17"),
    )
    for product, quantity in (("tea", 3), ("juice", 5)):
        received = {"quantity": quantity, "unit_cost": costs[product]["unit_cost"]}
        story.tell(stock.ReceiveStock(product_id=product, location_id="hamburg", occurred_at=at("01-20"), **received))
    return story.log


def tell_of_two_currencies() -> list[Recorded]:
    """Return a log of dollars in January, euros in February, and a product whose currency nobody said.

    w1 is an order of 6 dollars to America, w2 one of 20 euros to France, w3 one of nothing in francs to France. 5
    juices of 2 dollars each were in stock until the 3rd of February, 3 teas of 10 euros each from the 5th on; 4 salts
    at 1 each from the 6th on.
    """
    story = Story()
    for product, cost, currency in (("juice", 2, "USD"), ("tea", 10, "EUR"), ("salt", 1, None)):
        story.tell(
            catalog.RegisterProduct(
                product_id=product, occurred_at=at("01-01"), name=product, unit_cost=Decimal(cost), currency=currency
            )
        )
    story.tell(
        _order("w1", "01-11", _line(1, "juice", 2, "3"), currency="USD", ship_to_country="America"),
        _order("w2", "02-11", _line(1, "tea", 2, "10")),
        _order("w3", "02-12", _line(1, "tea", 1, "10", "1"), currency="CHF"),
    )
    for product, quantity, day in (("juice", 5, "01-20"), ("tea", 3, "02-05"), ("salt", 4, "02-06")):
        place = {"product_id": product, "location_id": "hamburg"}
        story.tell(stock.ReceiveStock(**place, occurred_at=at(day), quantity=quantity))
        if product == "juice":
            story.tell(stock.ScrapStock(**place, occurred_at=at("02-03"), quantity=quantity, reason="old"))
    return story.log
