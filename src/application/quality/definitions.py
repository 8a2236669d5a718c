"""All checks of the data."""

from __future__ import annotations

from application.quality.check import (
    Check,
    Severity,
    accepted_values,
    fresh,
    in_range,
    near_in_time,
    not_null,
    relationship,
    unique,
)
from application.quality.reconciliation import APPLIED, RECONCILIATIONS

_LINE = "concat_ws(' ', stream_id, line_no)"
_MOVEMENT = "concat_ws(' ', stream_id, version)"
_DAY = "concat_ws(' ', stream_id, date_key)"
_KINDS = ("product", "supplier", "customer", "carrier", "location")
_DAYS = ("placed", "confirmed", "requested", "promised", "first_shipped", "last_shipped", "delivered")


def _of_dimension(kind: str) -> tuple[Check, ...]:
    table, key, entry = f"gold.dim_{kind}", f"{kind}_key", f"{kind}_id"
    overlap = (
        f"SELECT concat_ws(' ', a.{entry}, a.version, b.version) FROM {table} a JOIN {table} b "
        f"ON b.{entry} = a.{entry} AND a.valid_from < coalesce(b.valid_to, 'infinity') "
        "AND b.valid_from < coalesce(a.valid_to, 'infinity') AND a.version < b.version"
    )
    current = f"SELECT {entry} FROM {table} GROUP BY {entry} HAVING count(*) FILTER (WHERE is_current) <> 1"
    return (
        unique(table, key),
        not_null(table, key, key, entry, "name", "valid_from"),
        Check(f"unique {table} validity", "unique", f"no two versions of a {kind} hold at one time", overlap),
        Check(f"unique {table} current", "unique", f"one version of each {kind} is the current one", current),
        in_range("inferred", table, entry, "NOT inferred", Severity.WARN),
    )


CHECKS: tuple[Check, ...] = (
    *(check for kind in _KINDS for check in _of_dimension(kind)),
    unique("gold.fact_order_line", "stream_id", "line_no"),
    unique("gold.fact_shipment", "stream_id"),
    unique("gold.fact_stock_movement", "stream_id", "version"),
    unique("gold.fact_stock_daily", "stream_id", "date_key"),
    not_null("gold.fact_order_line", _LINE, "order_id", "product_id", "customer_id", "placed_at", "gross", "net"),
    not_null("gold.fact_shipment", "stream_id", "shipment_id", "order_id", "planned_at", "status"),
    not_null("gold.fact_stock_movement", _MOVEMENT, "product_id", "location_id", "moved_at", "kind"),
    not_null("gold.fact_stock_daily", _DAY, "product_id", "location_id", "on_hand", "available"),
    *(relationship("gold.fact_order_line", _LINE, f"{kind}_key", f"gold.dim_{kind}") for kind in _KINDS),
    *(relationship("gold.fact_order_line", _LINE, f"{day}_date_key", "gold.dim_date", "date_key") for day in _DAYS),
    relationship("gold.fact_shipment", "stream_id", "carrier_key", "gold.dim_carrier"),
    relationship("gold.fact_shipment", "stream_id", "location_key", "gold.dim_location"),
    relationship("gold.fact_stock_movement", _MOVEMENT, "product_key", "gold.dim_product"),
    relationship("gold.fact_stock_movement", _MOVEMENT, "location_key", "gold.dim_location"),
    relationship("gold.fact_stock_daily", _DAY, "product_key", "gold.dim_product"),
    # Streams come in any order: that of an order may follow its shipments.
    relationship("silver.shipment_lines", _LINE, "order_id", "silver.orders", severity=Severity.WARN),
    accepted_values(
        "gold.fact_order_line",
        _LINE,
        "status",
        ("open", "backordered", "allocated", "partly_shipped", "shipped", "delivered", "returned", "cancelled"),
    ),
    accepted_values(
        "gold.fact_shipment",
        "stream_id",
        "status",
        ("planned", "dispatched", "in_transit", "delivered", "returned", "voided"),
    ),
    in_range("units", "gold.fact_order_line", _LINE, "ordered = open + backordered + allocated + shipped + cancelled"),
    in_range("returned", "gold.fact_order_line", _LINE, "returned BETWEEN 0 AND delivered AND delivered <= shipped"),
    in_range("money", "gold.fact_order_line", _LINE, "gross >= net AND net >= 0 AND freight >= 0"),
    in_range("discount", "gold.fact_order_line", _LINE, "discount BETWEEN 0 AND 1"),
    in_range(
        "order of times",
        "gold.fact_order_line",
        _LINE,
        "(placed_at <= first_shipped_at) IS NOT FALSE AND (first_shipped_at <= delivered_at) IS NOT FALSE",
        Severity.WARN,
    ),
    in_range("transit", "gold.fact_shipment", "stream_id", "(transit_minutes >= 0) IS NOT FALSE", Severity.WARN),
    in_range("distance", "gold.fact_shipment", "stream_id", "(distance_km BETWEEN 0 AND 20100) IS NOT FALSE"),
    in_range("levels", "gold.fact_stock_movement", _MOVEMENT, "on_hand >= reserved + quarantined AND reserved >= 0"),
    in_range("lead time", "gold.fact_stock_movement", _MOVEMENT, "(lead_days >= 0) IS NOT FALSE", Severity.WARN),
    # Each day between such a movement and the others is one of the stock, or of all stocks, in fact_stock_daily.
    near_in_time("gold.fact_stock_movement", _MOVEMENT, "moved_date_key", years=3, share=10),
    in_range("levels", "gold.fact_stock_daily", _DAY, "on_hand >= 0", Severity.WARN),
    in_range("value", "gold.fact_stock_daily", _DAY, "(stock_value = on_hand * unit_value) IS NOT FALSE"),
    in_range("minutes", "gold.fact_stock_daily", _DAY, "minutes_out_of_stock BETWEEN 0 AND 1440"),
    fresh(
        "read models",
        "no event waits for more than 15 minutes to be projected",
        "SELECT concat_ws(':', originator_id, originator_version) FROM events.stored_events "
        f"WHERE notification_id > {APPLIED} AND now() - interval '15 minutes' > "
        "(convert_from(state, 'UTF8')::jsonb -> 'meta' ->> 'recorded_at')::timestamptz",
    ),
    *RECONCILIATIONS,
)
