"""Small stories worked out by hand: what was done, and the rows and figures that gold must have of it.

Each speaks of ids of its own, so that all of them fit into one log, in whatever order its streams come.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from application.projections.catalog import surrogate_key
from domain.catalog import commands as catalog
from domain.inventory import commands as stock
from domain.order import commands as order
from domain.shipment import commands as shipment
from tests.integration.story import at, on


class Figures(NamedTuple):
    """What KPIs must say of the products of a story, over some days of January or over all."""

    products: tuple[str, ...]
    expected: dict[str, Any]
    days: tuple[str, str] | None = None


class Scenario(NamedTuple):
    name: str
    commands: tuple[Any, ...]
    expected: dict[str, list[tuple[Any, ...]]]
    figures: Figures


def _place(order_id: str, product: str, quantity: int, day: str = "01-10", **more: Any) -> order.PlaceOrder:
    line = order.OrderedLine(line_no=1, product_id=product, quantity=quantity, unit_price=Decimal("5.00"))
    return order.PlaceOrder(
        order_id=order_id, occurred_at=at(day), customer_id="carla", currency="EUR", lines=(line,), **more
    )


def _line(command: type, order_id: str, day: str, quantity: int, line_no: int = 1, **more: Any) -> Any:
    lines = (order.LineQuantity(line_no=line_no, quantity=quantity),)
    return command(order_id=order_id, occurred_at=at(day), lines=lines, **more)


def _register(product: str, day: str = "01-01", price: str = "5.00") -> catalog.RegisterProduct:
    return catalog.RegisterProduct(
        product_id=product, occurred_at=at(day), name=product.title(), unit_price=Decimal(price), currency="EUR"
    )


def _at(product: str, location: str, day: str) -> dict[str, Any]:
    return {"product_id": product, "location_id": location, "occurred_at": at(day)}


PARTIAL = Scenario(
    "partial shipment",
    (
        _place("a1", "pen", 10, requested_date=on("01-20")),
        _line(order.ShipOrderLines, "a1", "01-12", 6, shipment_id="sa1", carrier_id="dhl"),
        _line(order.DeliverOrderLines, "a1", "01-14", 6),
    ),
    {
        "SELECT status, ordered, open, shipped, delivered, gross, first_shipped_date_key, last_shipped_date_key, "
        "delivered_date_key, days_to_ship, days_to_deliver, days_in_transit, days_after_request "
        "FROM fact_order_line WHERE order_id = 'a1'": [
            ("partly_shipped", 10, 4, 6, 6, Decimal(50), 20240112, 20240112, 20240114, 2.0, 4.0, 2.0, -6)
        ],
        "SELECT lines, lines_shipped, lines_delivered, shipped, delivered FROM fact_order WHERE order_id = 'a1'": [
            (1, 0, 0, 6, 6)
        ],
    },
    # Six of ten left, eight days before the day asked for; four never did, which is not in full, and not late.
    Figures(
        ("pen",),
        {
            "orders": 1,
            "units": 10,
            "gross": Decimal(50),
            "fill_rate": Decimal("0.6"),
            "line_fill_rate": 0,
            "units_delivered": 6,
            "orders_late": 0,
            "on_time_rate": 1,
            "in_full_rate": 0,
            "otif_rate": 0,
            "order_cycle_time_days": None,
        },
    ),
)
SPLIT = Scenario(
    "one line split over two shipments",
    (
        _place("a2", "ink", 10),
        _line(order.ShipOrderLines, "a2", "01-12", 4, shipment_id="sa2", carrier_id="dhl"),
        _line(order.ShipOrderLines, "a2", "01-15", 6, shipment_id="sb2", carrier_id="ups"),
        _line(order.DeliverOrderLines, "a2", "01-13", 4, shipment_id="sa2"),
        _line(order.DeliverOrderLines, "a2", "01-18", 6, shipment_id="sb2"),
    ),
    {
        "SELECT status, shipped, delivered, shipment_id, shipping_carrier_id, first_shipped_date_key, "
        "last_shipped_date_key, delivered_date_key FROM fact_order_line WHERE order_id = 'a2'": [
            ("delivered", 10, 10, "sa2", "dhl", 20240112, 20240115, 20240118)
        ],
        "SELECT version, kind, quantity, level, date_key, time_key, shipment_id FROM fact_order_line_event "
        "WHERE order_id = 'a2' ORDER BY version": [
            (1, "placed", 10, 10, 20240110, 720, None),
            (2, "shipped", 4, 4, 20240112, 720, "sa2"),
            (3, "shipped", 6, 10, 20240115, 720, "sb2"),
            (4, "delivered", 4, 4, 20240113, 720, "sa2"),
            (5, "delivered", 6, 10, 20240118, 720, "sb2"),
        ],
    },
    # From noon of the 10th: two days to the first shipment, eight to the last delivery.
    Figures(
        ("ink",),
        {
            "order_lines": 1,
            "fill_rate": 1,
            "order_fill_rate": 1,
            "units_shipped": 10,
            "units_delivered": 10,
            "time_to_ship_days": 2,
            "order_cycle_time_days": 8,
            "on_time_rate": None,
        },
    ),
)
BACKORDERED = Scenario(
    "back-order, then fill",
    (
        _place("a3", "cup", 5, promised_date=on("01-13")),
        _line(order.BackorderOrderLines, "a3", "01-11", 5),
        stock.ReceiveStock(**_at("cup", "bonn", "01-15"), quantity=5),
        stock.ReserveStock(**_at("cup", "bonn", "01-16"), reservation_id="a3/1", quantity=5),
        _line(order.AllocateOrderLines, "a3", "01-16", 5, location_id="bonn"),
        stock.ShipStock(**_at("cup", "bonn", "01-17"), quantity=5, reservation_id="a3/1"),
        _line(order.ShipOrderLines, "a3", "01-17", 5, location_id="bonn"),
        _line(order.DeliverOrderLines, "a3", "01-19", 5),
    ),
    {
        "SELECT status, backordered, backordered_at, allocated_date_key, days_to_allocate, days_after_promise, "
        "location_id FROM fact_order_line WHERE order_id = 'a3'": [
            ("delivered", 0, at("01-11"), 20240116, 6.0, 6, "bonn")
        ],
        "SELECT kind, on_hand, reserved FROM fact_stock_movement WHERE product_id = 'cup' ORDER BY version": [
            ("received", 5, 0),
            ("reserved", 5, 5),
            ("shipped", 0, 0),
        ],
        # All units are set aside from noon of the 16th on, and gone from the 17th on.
        "SELECT date_key, on_hand, available, shipped, minutes_out_of_stock FROM fact_stock_daily "
        "WHERE product_id = 'cup' AND date_key < 20240119 ORDER BY 1": [
            (20240115, 5, 5, 0, 0),
            (20240116, 5, 0, 0, 720),
            (20240117, 0, 0, 5, 1440),
            (20240118, 0, 0, 0, 1440),
        ],
    },
    # Half of the 16th and all of the 17th and 18th, of four days: 3,600 of 5,760 minutes.
    Figures(
        ("cup",),
        {
            "backorder_rate": 1,
            "units_backordered": 0,
            "on_time_original_rate": 0,
            "orders_late_to_promise": 1,
            "order_cycle_time_days": 9,
            "units_received": 5,
            "stock_units": 0,
            "out_of_stock": 1,
            "stock_out_share": Decimal("0.625"),
        },
        ("01-10", "01-18"),
    ),
)
PROMISED = Scenario(
    "a promise that is revised twice",
    (
        _place("a4", "jar", 1),
        order.ConfirmOrder(order_id="a4", occurred_at=at("01-11T00:00"), promised_date=on("01-15")),
        order.RevisePromise(order_id="a4", occurred_at=at("01-14"), promised_date=on("01-18"), reason="supplier"),
        order.RevisePromise(order_id="a4", occurred_at=at("01-16"), promised_date=on("01-20"), reason="supplier"),
        _line(order.ShipOrderLines, "a4", "01-17", 1),
        _line(order.DeliverOrderLines, "a4", "01-19", 1),
    ),
    {
        "SELECT original_promised_date_key, promised_date_key, promise_revisions, days_after_promise, "
        "days_after_original_promise, days_to_confirm FROM fact_order_line WHERE order_id = 'a4'": [
            (20240115, 20240120, 2, -1, 4, 0.5)
        ]
    },
    # Delivered on the 19th: after the first promise, the 15th, and before the last, the 20th.
    Figures(
        ("jar",),
        {
            "on_time_original_rate": 0,
            "on_time_revised_rate": 1,
            "orders_late_to_promise": 1,
            "order_cycle_time_days": 9,
        },
    ),
)
RETURNED = Scenario(
    "a return",
    (
        _place("a5", "hat", 3),
        _line(order.ShipOrderLines, "a5", "01-11", 3),
        _line(order.DeliverOrderLines, "a5", "01-12", 3),
        _line(order.ReturnOrderLines, "a5", "01-22", 1, reason="too small"),
        stock.ReturnStock(**_at("hat", "bonn", "01-23"), quantity=1, order_id="a5"),
    ),
    {
        "SELECT status, delivered, returned, returned_date_key FROM fact_order_line WHERE order_id = 'a5'": [
            ("delivered", 3, 1, 20240122)
        ],
        "SELECT kind, delta_on_hand, order_id FROM fact_stock_movement WHERE product_id = 'hat'": [
            ("returned", 1, "a5")
        ],
    },
    Figures(
        ("hat",),
        {
            "units_delivered": 3,
            "units_returned": 1,
            "return_rate": Decimal("0.333333"),
            "order_cycle_time_days": 2,
            "stock_units": 1,
        },
    ),
)
CANCELLED = Scenario(
    "cancellation after allocation",
    (
        stock.ReceiveStock(**_at("mug", "bonn", "01-05"), quantity=10),
        _place("a6", "mug", 4),
        stock.ReserveStock(**_at("mug", "bonn", "01-11"), reservation_id="a6/1", quantity=4),
        _line(order.AllocateOrderLines, "a6", "01-11", 4, location_id="bonn"),
        _line(order.CancelOrderLines, "a6", "01-12", 4, reason="changed mind"),
        stock.ReleaseReservation(**_at("mug", "bonn", "01-12"), reservation_id="a6/1", reason="cancelled"),
    ),
    {
        "SELECT status, allocated, cancelled, open, cancelled_date_key, first_shipped_at FROM fact_order_line "
        "WHERE order_id = 'a6'": [("cancelled", 0, 4, 0, 20240112, None)],
        "SELECT lines, lines_wanted, lines_shipped, lines_delivered FROM fact_order WHERE order_id = 'a6'": [
            (1, 0, 0, 0)
        ],
        "SELECT kind, quantity, level FROM fact_order_line_event WHERE order_id = 'a6' ORDER BY version": [
            ("placed", 4, 4),
            ("allocated", 4, 4),
            ("cancelled", 4, 4),
        ],
        "SELECT date_key, reserved, available FROM fact_stock_daily "
        "WHERE product_id = 'mug' AND date_key BETWEEN 20240110 AND 20240113 ORDER BY 1": [
            (20240110, 0, 10),
            (20240111, 4, 6),
            (20240112, 0, 10),
            (20240113, 0, 10),
        ],
    },
    # Nothing is left to be filled.
    Figures(
        ("mug",),
        {
            "units_cancelled": 4,
            "cancellation_rate": 1,
            "orders_shipped": 0,
            "fill_rate": None,
            "units_received": 10,
            "stock_available": 10,
        },
    ),
)
REPRICED = Scenario(
    "a price change in the middle",
    (
        catalog.RegisterSupplier(supplier_id="north", occurred_at=at("01-01"), name="North"),
        catalog.RegisterProduct(
            product_id="oil",
            occurred_at=at("01-01"),
            name="Oil",
            supplier_id="north",
            unit_price=Decimal(5),
            unit_cost=Decimal(3),
        ),
        catalog.ReviseProduct(
            product_id="oil",
            occurred_at=at("01-20T00:00"),
            name="Oil",
            supplier_id="south",
            unit_price=Decimal(6),
            unit_cost=Decimal(4),
        ),
        _place("a7", "oil", 2, "01-19"),
        _place("b7", "oil", 2, "01-20"),
        stock.ReceiveStock(**_at("oil", "bonn", "01-18"), quantity=10, supplier_id="north"),
    ),
    {
        "SELECT order_id, product_key, supplier_id, supplier_key FROM fact_order_line "
        "WHERE product_id = 'oil' ORDER BY 1": [
            (
                "a7",
                surrogate_key("product-oil", at("01-01"), 1),
                "north",
                surrogate_key("supplier-north", at("01-01"), 1),
            ),
            (
                "b7",
                surrogate_key("product-oil", at("01-20T00:00"), 2),
                "south",
                surrogate_key("supplier-south", at("01-01"), 1),
            ),
        ],
        "SELECT version, unit_price, valid_to, is_current, inferred FROM dim_product WHERE product_id = 'oil' "
        "ORDER BY 1": [
            (1, Decimal(5), at("01-20T00:00"), False, False),
            (2, Decimal(6), None, True, False),
        ],
        "SELECT supplier_id, inferred FROM dim_supplier WHERE supplier_id IN ('north', 'south') ORDER BY 1": [
            ("north", False),
            ("south", True),
        ],
        "SELECT date_key, unit_value, stock_value FROM fact_stock_daily "
        "WHERE product_id = 'oil' AND date_key BETWEEN 20240118 AND 20240120 ORDER BY 1": [
            (20240118, Decimal(3), Decimal(30)),
            (20240119, Decimal(3), Decimal(30)),
            (20240120, Decimal(4), Decimal(40)),
        ],
    },
    # Ten units at 3, 3 and 4; sold at the price of the order, not of the catalog.
    Figures(
        ("oil",),
        {
            "orders": 2,
            "gross": Decimal(20),
            "average_order_value": Decimal(10),
            "stock_value": Decimal(40),
            "average_stock_value": Decimal("33.3333"),
        },
        ("01-18", "01-20"),
    ),
)
LATE_DIMENSION = Scenario(
    "a product and a customer that the catalog learns of after their facts",
    (
        _place("a8", "tin", 1),
        _register("tin", "03-01"),
        catalog.RegisterCustomer(customer_id="carla", occurred_at=at("03-01"), name="Carla", segment="retail"),
    ),
    {
        "SELECT p.name, p.inferred, p.valid_from, c.name, c.segment, c.inferred FROM fact_order_line f "
        "JOIN dim_product p USING (product_key) JOIN dim_customer c USING (customer_key) WHERE order_id = 'a8'": [
            ("Tin", False, at("01-01").replace(year=1900, hour=0), "Carla", "retail", False)
        ],
    },
    Figures(("tin",), {"orders": 1, "units": 1, "net": Decimal(5), "units_shipped": 0}),
)
CORRECTED = Scenario(
    "a stock correction dated back",
    (
        stock.ReceiveStock(**_at("nib", "bonn", "01-05"), quantity=10),
        stock.ShipStock(**_at("nib", "bonn", "01-10T18:00"), quantity=8),
        stock.AdjustStock(**_at("nib", "bonn", "01-07"), delta=-2, reason="broken, found late"),
    ),
    {
        "SELECT version, kind, moved_date_key, delta_on_hand, on_hand FROM fact_stock_movement "
        "WHERE product_id = 'nib' ORDER BY 1": [
            (1, "received", 20240105, 10, 10),
            (2, "shipped", 20240110, -8, 2),
            (3, "adjusted", 20240107, -2, 0),
        ],
        "SELECT date_key, on_hand, shipped, minutes_out_of_stock FROM fact_stock_daily "
        "WHERE product_id = 'nib' AND date_key < 20240112 ORDER BY 1": [
            (20240105, 10, 0, 0),
            (20240106, 10, 0, 0),
            (20240107, 8, 0, 0),
            (20240108, 8, 0, 0),
            (20240109, 8, 0, 0),
            (20240110, 0, 8, 360),
            (20240111, 0, 0, 1440),
        ],
    },
    # Six hours of the 10th and all of the 11th, of seven days: 1,800 of 10,080 minutes.
    Figures(
        ("nib",),
        {"units_received": 10, "units_corrected": -2, "stock_units": 0, "stock_out_share": Decimal("0.178571")},
        ("01-05", "01-11"),
    ),
)
WITHIN_A_DAY = Scenario(
    "a correction that is dated back within its day, to before the stock ran out",
    (
        stock.ReceiveStock(**_at("peg", "bonn", "01-05T06:00"), quantity=4),
        stock.ShipStock(**_at("peg", "bonn", "01-05T12:00"), quantity=3),
        stock.ReceiveStock(**_at("peg", "bonn", "01-05T20:00"), quantity=5),
        stock.AdjustStock(**_at("peg", "bonn", "01-05T10:20"), delta=-1, reason="broken, found late"),
    ),
    {
        "SELECT version, moved_time_key, on_hand FROM fact_stock_movement WHERE product_id = 'peg' ORDER BY 1": [
            (1, 360, 4),
            (2, 720, 1),
            (3, 1200, 6),
            (4, 620, 5),
        ],
        "SELECT date_key, on_hand, shipped, minutes_out_of_stock FROM fact_stock_daily "
        "WHERE product_id = 'peg' AND date_key < 20240107 ORDER BY 1": [
            (20240105, 5, 3, 480),
            (20240106, 5, 0, 0),
        ],
    },
    # Nothing was there from noon until eight in the evening, of two days.
    Figures(("peg",), {"stock_out_share": Decimal("0.166667"), "stock_units": 5}, ("01-05", "01-06")),
)
TRANSFERRED = Scenario(
    "a transfer of which a unit is lost",
    (
        stock.ReceiveStock(**_at("rug", "bonn", "01-05"), quantity=6),
        stock.TransferStockOut(**_at("rug", "bonn", "01-06"), transfer_id="t1", quantity=6, to_location_id="kiel"),
        stock.TransferStockIn(
            **_at("rug", "kiel", "01-08"), transfer_id="t1", sent=6, quantity=5, from_location_id="bonn", lost=1
        ),
    ),
    {
        "SELECT location_id, kind, delta_on_hand, on_hand, transfer_id, lost FROM fact_stock_movement "
        "WHERE product_id = 'rug' ORDER BY moved_at": [
            ("bonn", "received", 6, 6, None, None),
            ("bonn", "transferred_out", -6, 0, "t1", None),
            ("kiel", "transferred_in", 5, 5, "t1", 1),
        ],
        "SELECT date_key, sum(on_hand), sum(minutes_out_of_stock) FROM fact_stock_daily "
        "WHERE product_id = 'rug' AND date_key < 20240109 GROUP BY 1 ORDER BY 1": [
            (20240105, 6, 0),
            (20240106, 0, 720),
            (20240107, 0, 1440),
            (20240108, 5, 1440),
        ],
    },
    # Four days of one stock and one of the other, of which the first has nothing for two and a half.
    Figures(
        ("rug",),
        {"units_received": 6, "stock_units": 5, "out_of_stock": 1, "stock_out_share": Decimal("0.5")},
        ("01-05", "01-08"),
    ),
)
DELAYED = Scenario(
    "a shipment that is late, with an exception on its way",
    (
        _place("a9", "kit", 2),
        shipment.PlanShipment(
            shipment_id="sa9",
            order_id="a9",
            occurred_at=at("01-11"),
            lines=(shipment.ShipmentLine(line_no=1, product_id="kit", quantity=2),),
            carrier_id="ups",
            origin_location_id="bonn",
            planned_dispatch_at=at("01-12"),
            planned_delivery_at=at("01-15"),
        ),
        shipment.DispatchShipment(shipment_id="sa9", occurred_at=at("01-12T12:45"), eta=at("01-15T09:00")),
        shipment.RecordRoute(
            shipment_id="sa9", occurred_at=at("01-12T13:00"), distance_km=512.5, duration_minutes=None, provider="osrm"
        ),
        shipment.ReportShipmentDelay(shipment_id="sa9", occurred_at=at("01-14"), delay_minutes=90, reason="snow"),
        shipment.RaiseShipmentException(shipment_id="sa9", occurred_at=at("01-15"), exception_id="x", kind="customs"),
        shipment.ResolveShipmentException(shipment_id="sa9", occurred_at=at("01-16"), exception_id="x"),
        shipment.DeliverShipment(shipment_id="sa9", occurred_at=at("01-16T18:30")),
    ),
    {
        "SELECT status, dispatch_delay_minutes, delivery_delay_minutes, minutes_after_first_eta, transit_minutes, "
        "delay_minutes, exceptions, open_exceptions, distance_km, dispatched_time_key, delivered_time_key, "
        "units, units_delivered FROM fact_shipment WHERE shipment_id = 'sa9'": [
            ("delivered", 45, 1830, 2010, 6105, 90, 1, 0, 512.5, 765, 1110, 2, 2)
        ],
        "SELECT version, kind, status, units, delay_minutes, detail FROM fact_shipment_event "
        "WHERE shipment_id = 'sa9' ORDER BY 1": [
            (1, "planned", "planned", 2, None, None),
            (2, "dispatched", "dispatched", None, None, None),
            (3, "route_measured", "dispatched", None, None, "osrm"),
            (4, "delayed", "dispatched", None, 90, "snow"),
            (5, "exception_raised", "dispatched", None, None, "customs"),
            (6, "exception_resolved", "dispatched", None, None, None),
            (7, "delivered", "delivered", 2, None, None),
        ],
        "SELECT kind, date_key, time_key FROM fact_shipment_event WHERE shipment_id = 'sa9' "
        "AND kind IN ('dispatched', 'delivered') ORDER BY 1": [
            ("delivered", 20240116, 1110),
            ("dispatched", 20240112, 765),
        ],
        "SELECT carrier_id, inferred FROM dim_carrier WHERE carrier_id = 'ups'": [("ups", True)],
    },
    # Planned for noon of the 15th, there at 18:30 of the 16th: 30.5 hours; on its way for 6,105 minutes.
    Figures(
        ("kit",),
        {
            "shipments": 1,
            "shipments_late": 1,
            "delivery_on_time_rate": 0,
            "delivery_delay_p50_hours": Decimal("30.5"),
            "transit_days": Decimal("4.2396"),
            "shipment_exceptions": 1,
            "distance_km": Decimal("512.5"),
        },
    ),
)
REORDERED = Scenario(
    "a reorder point that is set after the stock has moved, and again, at midnight, twice at one moment and dated back",
    (
        stock.ReceiveStock(**_at("lid", "kiel", "01-08"), quantity=4),
        stock.SetReorderPoint(**_at("lid", "kiel", "01-09"), reorder_point=5),
        stock.SetReorderPoint(**_at("lid", "kiel", "01-12T00:00"), reorder_point=6),
        stock.SetReorderPoint(**_at("lid", "kiel", "01-11"), reorder_point=2),
        stock.SetReorderPoint(**_at("lid", "kiel", "01-11"), reorder_point=3),
        stock.SetReorderPoint(**_at("lid", "kiel", "01-10"), reorder_point=9),
        stock.AdjustStock(**_at("lid", "kiel", "01-13"), delta=-1, reason="broken"),
    ),
    {
        "SELECT date_key, reorder_point, on_hand FROM fact_stock_daily "
        "WHERE product_id = 'lid' AND date_key < 20240114 ORDER BY 1": [
            (20240108, None, 4),
            (20240109, 5, 4),
            (20240110, 9, 4),
            (20240111, 3, 4),
            (20240112, 6, 4),
            (20240113, 6, 3),
        ],
    },
    Figures(("lid",), {"below_reorder_point": 0, "stock_available": 4, "out_of_stock": 0}, ("01-08", "01-11")),
)

GROWN = Scenario(
    "an order that gets a line and more units after it was confirmed",
    (
        _register("bag", price="2.50"),
        catalog.ReviseProduct(product_id="bag", occurred_at=at("01-11T00:00"), name="Bag", unit_price=Decimal(3)),
        _place("a10", "cap", 10, requested_date=on("01-20"), freight=Decimal("12.00")),
        order.ConfirmOrder(order_id="a10", occurred_at=at("01-11"), promised_date=on("01-18")),
        order.AddOrderLines(
            order_id="a10",
            occurred_at=at("01-12"),
            lines=(
                order.OrderedLine(
                    line_no=2, product_id="bag", quantity=4, unit_price=Decimal("2.50"), discount=Decimal("0.2")
                ),
            ),
        ),
        _line(order.ShipOrderLines, "a10", "01-13", 6),
        _line(order.IncreaseOrderLines, "a10", "01-14", 6),
        order.ShipOrderLines(
            order_id="a10", occurred_at=at("01-15"), lines=(order.LineQuantity(line_no=2, quantity=4),)
        ),
        order.DeliverOrderLines(
            order_id="a10", occurred_at=at("01-16"), lines=(order.LineQuantity(line_no=2, quantity=4),)
        ),
    ),
    {
        # Freight 12.00 over net 80 and 8: 10.909..., rounded, and the rest.
        "SELECT line_no, status, ordered, open, shipped, delivered, gross, net, freight FROM fact_order_line "
        "WHERE order_id = 'a10' ORDER BY 1": [
            (1, "partly_shipped", 16, 10, 6, 0, Decimal(80), Decimal(80), Decimal("10.91")),
            (2, "delivered", 4, 0, 4, 4, Decimal(10), Decimal(8), Decimal("1.09")),
        ],
        "SELECT line_no, placed_date_key, confirmed_date_key, promised_date_key, requested_date_key, "
        "days_to_confirm, days_to_ship FROM fact_order_line WHERE order_id = 'a10' ORDER BY 1": [
            (1, 20240110, 20240111, 20240118, 20240120, 1.0, 3.0),
            (2, 20240112, 20240112, 20240118, 20240120, 0.0, 3.0),
        ],
        "SELECT product_key FROM fact_order_line WHERE order_id = 'a10' AND line_no = 2": [
            (surrogate_key("product-bag", at("01-11T00:00"), 2),)
        ],
        "SELECT placed_date_key, status, lines, lines_shipped, ordered, shipped, delivered, gross, net, freight "
        "FROM fact_order WHERE order_id = 'a10'": [
            (20240110, "confirmed", 2, 1, 20, 10, 4, Decimal(90), Decimal(88), Decimal(12))
        ],
        "SELECT version, line_no, kind, quantity, level, date_key FROM fact_order_line_event "
        "WHERE order_id = 'a10' ORDER BY 1": [
            (1, 1, "placed", 10, 10, 20240110),
            (3, 2, "added", 4, 4, 20240112),
            (4, 1, "shipped", 6, 6, 20240113),
            (5, 1, "increased", 6, 16, 20240114),
            (6, 2, "shipped", 4, 4, 20240115),
            (7, 2, "delivered", 4, 4, 20240116),
        ],
    },
    # Ten of twenty units left, by the day asked for; one line of two is complete.
    Figures(
        ("cap", "bag"),
        {
            "orders": 1,
            "order_lines": 2,
            "units": 20,
            "gross": Decimal(90),
            "net": Decimal(88),
            "freight": Decimal(12),
            "freight_share": Decimal("0.136364"),
            "average_order_value": Decimal(88),
            "fill_rate": Decimal("0.5"),
            "line_fill_rate": Decimal("0.5"),
            "order_fill_rate": 0,
            "on_time_rate": 1,
            "otif_rate": 0,
        },
    ),
)

UNEVEN = Scenario(
    "lines that leave in another order than they stand in, by other carriers, one of them cancelled in part",
    (
        catalog.RegisterCustomer(customer_id="dora", occurred_at=at("01-01"), name="Dora", country="Norway"),
        order.PlaceOrder(
            order_id="a11",
            occurred_at=at("01-10T13:07"),
            customer_id="dora",
            currency="EUR",
            lines=(
                order.OrderedLine(line_no=1, product_id="bow", quantity=4, unit_price=Decimal(2)),
                order.OrderedLine(line_no=2, product_id="bell", quantity=5, unit_price=Decimal(3)),
                order.OrderedLine(line_no=3, product_id="bell", quantity=1, unit_price=Decimal(3)),
            ),
        ),
        _line(order.BackorderOrderLines, "a11", "01-12", 4),
        _line(order.BackorderOrderLines, "a11", "01-11", 5, line_no=2),
        _line(order.CancelOrderLines, "a11", "01-12", 2, line_no=2, reason="too many"),
        _line(order.ShipOrderLines, "a11", "01-15", 4, carrier_id="dhl", location_id="bonn"),
        _line(order.ShipOrderLines, "a11", "01-13", 1, line_no=3, carrier_id="dhl", location_id="ulm"),
        _line(order.ShipOrderLines, "a11", "01-13", 3, line_no=2, carrier_id="tnt", location_id="kiel"),
        _line(order.DeliverOrderLines, "a11", "01-17", 4),
        _line(order.DeliverOrderLines, "a11", "01-16", 3, line_no=2),
        _line(order.DeliverOrderLines, "a11", "01-16", 1, line_no=3),
        _line(order.ReturnOrderLines, "a11", "01-22", 1, reason="too small"),
        _line(order.ReturnOrderLines, "a11", "01-20", 1, line_no=2, reason="too loud"),
    ),
    {
        "SELECT lines, lines_wanted, lines_shipped, lines_delivered, shipped, cancelled, returned FROM fact_order "
        "WHERE order_id = 'a11'": [(3, 3, 3, 3, 8, 2, 2)],
        "SELECT DISTINCT placed_date_key, placed_time_key FROM fact_order_line WHERE order_id = 'a11'": [
            (20240110, 787),
        ],
        "SELECT DISTINCT kind, date_key, time_key FROM fact_order_line_event WHERE order_id = 'a11' "
        "AND kind IN ('placed', 'cancelled') ORDER BY 1": [("cancelled", 20240112, 720), ("placed", 20240110, 787)],
        "SELECT backordered_at, first_shipped_at, last_shipped_at, delivered_at, returned_at FROM fact_order "
        "WHERE order_id = 'a11'": [(at("01-11"), at("01-13"), at("01-15"), at("01-17"), at("01-22"))],
        "SELECT carrier_id, country, location_ids, product_keys FROM fact_order WHERE order_id = 'a11'": [
            (
                "tnt",
                "Norway",
                ["kiel", "ulm", "bonn"],
                [surrogate_key(f"product-{each}", at("01-01"), 1) for each in ("bell", "bell", "bow")],
            )
        ],
        "SELECT line_no, carrier_id, country, ship_to_country FROM fact_order_line WHERE order_id = 'a11' ORDER BY 1": [
            (1, "dhl", "Norway", None),
            (2, "tnt", "Norway", None),
            (3, "dhl", "Norway", None),
        ],
    },
    # Two lines left at the same moment: the order's carrier is that of the first of them. All units that were not
    # cancelled left, eight of eight; the last came on the 17th.
    Figures(
        ("bow", "bell"),
        {
            "orders": 1,
            "units": 10,
            "fill_rate": 1,
            "line_fill_rate": 1,
            "order_fill_rate": 1,
            "units_cancelled": 2,
            "units_returned": 2,
            "order_cycle_time_days": Decimal("6.9535"),
        },
    ),
)
UNSAID = Scenario(
    "a shipment that says neither who carries it nor from where, of a product that nothing else speaks of",
    (
        shipment.PlanShipment(
            shipment_id="sa12",
            order_id="a12",
            occurred_at=at("01-11"),
            lines=(shipment.ShipmentLine(line_no=1, product_id="gem", quantity=2),),
        ),
        shipment.DispatchShipment(shipment_id="sa12", occurred_at=at("01-12")),
    ),
    {
        "SELECT carrier_key, location_key, carrier_id, location_id, product_keys, status FROM fact_shipment "
        "WHERE shipment_id = 'sa12'": [
            (0, 0, None, None, [surrogate_key("product-gem", at("01-01"), 1)], "dispatched")
        ],
        "SELECT carrier_key, location_key FROM fact_shipment_event WHERE shipment_id = 'sa12'": [(0, 0), (0, 0)],
        "SELECT product_key, name, inferred FROM dim_product WHERE product_id = 'gem'": [
            (surrogate_key("product-gem", at("01-01"), 1), "gem", True)
        ],
    },
    Figures(("gem",), {"shipments": 1, "shipments_late": 0, "delivery_on_time_rate": None}),
)

SCENARIOS = (
    PARTIAL,
    SPLIT,
    BACKORDERED,
    PROMISED,
    RETURNED,
    CANCELLED,
    REPRICED,
    LATE_DIMENSION,
    CORRECTED,
    WITHIN_A_DAY,
    TRANSFERRED,
    DELAYED,
    REORDERED,
    GROWN,
    UNEVEN,
    UNSAID,
)
