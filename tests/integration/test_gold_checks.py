"""Each condition that a row of gold must meet refuses a row that does not, and lets those at its limits pass."""

from __future__ import annotations

import psycopg
from psycopg.errors import CheckViolation

VERSIONS = ("dim_carrier", "dim_customer", "dim_location", "dim_product", "dim_supplier")
REFUSED = (
    *((dimension, "valid_to = valid_from - interval '1 second'") for dimension in VERSIONS),
    ("fact_order", "status = 'lost'"),
    ("fact_order", "returned = delivered + 1"),
    ("fact_order", "delivered = shipped + 1"),
    ("fact_order", "shipped = ordered + 1, cancelled = 0, backordered = 0"),
    ("fact_order", "shipped = 0, delivered = 0, returned = 0, cancelled = ordered + 1, backordered = 0"),
    ("fact_order", "shipped = 0, delivered = 0, returned = 0, cancelled = 0, backordered = ordered + 1"),
    ("fact_order_line", "status = 'lost'"),
    ("fact_order_line", "ordered = ordered + 1"),
    ("fact_order_line", "ordered = ordered - open - 1, open = -1"),
    ("fact_order_line", "ordered = ordered - backordered - 1, backordered = -1"),
    ("fact_order_line", "ordered = ordered - allocated - 1, allocated = -1"),
    ("fact_order_line", "returned = -1"),
    ("fact_order_line", "returned = delivered + 1"),
    ("fact_order_line", "delivered = shipped + 1"),
    ("fact_shipment", "status = 'lost'"),
    ("fact_shipment", "units_delivered = -1"),
    ("fact_shipment", "units_delivered = units + 1"),
    ("fact_shipment", "open_exceptions = -1"),
    ("fact_shipment", "open_exceptions = exceptions + 1"),
    ("fact_stock_daily", "available = available + 1"),
    ("fact_stock_daily", "minutes_out_of_stock = -1"),
    ("fact_stock_daily", "minutes_out_of_stock = 1441"),
    ("fact_stock_movement", "kind = 'lost'"),
    ("fact_stock_movement", "reserved = on_hand + 1, quarantined = 0"),
    ("fact_stock_movement", "reserved = 0, quarantined = on_hand + 1"),
    ("fact_stock_movement", "reserved = -1, quarantined = 0"),
    ("fact_stock_movement", "reserved = 0, quarantined = -1"),
)
PASSED = (
    *((dimension, "valid_to = valid_from") for dimension in VERSIONS),
    ("fact_order", "shipped = ordered, delivered = ordered, returned = ordered, cancelled = 0, backordered = 0"),
    ("fact_order_line", "open = 0, backordered = 0, allocated = ordered - shipped - cancelled"),
    ("fact_order_line", "open = 0, backordered = ordered - shipped - cancelled, allocated = 0"),
    ("fact_order_line", "open = ordered - shipped - cancelled, backordered = 0, allocated = 0"),
    ("fact_shipment", "units_delivered = units, open_exceptions = exceptions"),
    ("fact_shipment", "units_delivered = 0, open_exceptions = 0"),
    ("fact_stock_daily", "quarantined = 1, reserved = 2, available = on_hand - 3"),
    ("fact_stock_daily", "minutes_out_of_stock = 0"),
    ("fact_stock_daily", "minutes_out_of_stock = 1440"),
    ("fact_stock_movement", "reserved = on_hand - 1, quarantined = 1"),
)


def test_a_row_that_breaks_a_condition_is_refused_and_one_that_just_meets_it_is_not(told: str) -> None:
    with psycopg.connect(told, autocommit=True) as connection:
        refused = [each for each in (*REFUSED, *PASSED) if _is_refused(connection, *each)]
    assert refused == [*REFUSED]


def _is_refused(connection: psycopg.Connection, table: str, change: str) -> bool:
    """Tell whether all rows of a table that change so are refused; nothing is kept of it."""
    try:
        with connection.transaction(force_rollback=True):
            assert connection.execute(f"UPDATE gold.{table} SET {change}".encode()).rowcount > 0
    except CheckViolation:
        return True
    return False
