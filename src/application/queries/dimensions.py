"""The dimensions that figures are broken down by and filtered on.

Attributes that change (category, supplier) are those of the time of the fact; names are today's. What an order
or a shipment only knows through its lines counts for each member that one of the lines has: an order with products of
two categories is an order of both, so that such parts add up to more than the whole. The lines of a shipment are those
that it carries, not all of its order. Several filters on what lines are of are met by one line, which is also the one
that a breakdown finds the member of. A row for which nobody says so is of the unknown member.
"""

from __future__ import annotations

from collections.abc import Mapping

from application.queries.definitions import (
    FACTS,
    ORDER_LINES,
    ORDERS,
    SHIPMENTS,
    STOCK_DAILY,
    STOCK_MOVEMENTS,
    Dimension,
    Fact,
    Held,
    Source,
    Through,
)

_OF_PRODUCTS = (ORDER_LINES, STOCK_MOVEMENTS, STOCK_DAILY)
_OF_STOCK = (STOCK_MOVEMENTS, STOCK_DAILY)
_PRODUCT_THEN = "LEFT JOIN dim_product product_then ON product_then.product_key = f.product_key"
_CUSTOMER_THEN = "LEFT JOIN dim_customer customer_then ON customer_then.customer_key = f.customer_key"
_LOCATION_THEN = "LEFT JOIN dim_location location_then ON location_then.location_key = f.location_key"
_RECEIVED_FROM = "coalesce(f.supplier_id, product_then.supplier_id)"
_LINES = {
    ORDERS: Through(ORDER_LINES, "f.stream_id", "f.stream_id"),
    SHIPMENTS: Through(
        ORDER_LINES,
        "f.stream_id",
        "f.stream_id",
        "SELECT stream_id, unnest(product_keys) AS product_key FROM fact_shipment",
    ),
}
_THEN = "when the line was ordered, the shipment planned or the stock moved, or at the end of a day of stock"
_OF_ORDER = "; of a shipment as of its order, and unknown before that is"
_VERSIONS = "product_then.product_key FROM dim_product product_then"
_PRODUCT = {
    STOCK_MOVEMENTS: Held("f.product_key", _VERSIONS),
    **dict.fromkeys((ORDER_LINES, STOCK_DAILY), Held("f.product_key", _VERSIONS, indexed=True)),
    **dict.fromkeys(_LINES, Held("f.product_keys", _VERSIONS, many=True)),
}
_LOCATION = Held("f.location_key", "location_then.location_key FROM dim_location location_then")
_LOCATION_OF_STOCK = {STOCK_MOVEMENTS: _LOCATION, STOCK_DAILY: _LOCATION._replace(indexed=True)}
# A stream of an order is named after it; a shipment may be told of before its order is.
_ORDER = {SHIPMENTS: Through(ORDERS, "f.stream_id", "'order-' || f.order_id", perhaps=True)}


def _period(name: str, title: str, column: str) -> Dimension:
    key = f"calendar.{column}::text"
    sources = {fact.name: _of_day(key, f"f.{fact.date_key}") for fact in FACTS}
    return Dimension(name, title, sources, time=True, meaning="That of the day (UTC) on which a row counts.")


def _of_day(key: str, day: str) -> Source:
    joins = (f"LEFT JOIN dim_date calendar ON calendar.date_key = {day}",)
    return Source(key, key, joins, held=Held(day, "calendar.date_key FROM dim_date calendar", days=True))


def _dimension(
    name: str,
    title: str,
    known: Mapping[Fact, Source],
    through: Mapping[Fact, Through] | None,
    held: Mapping[Fact, Held] | None,
    *,
    meaning: str,
) -> Dimension:
    """Define a dimension that some facts know, and others through them; what is held, by either."""
    reached = {fact: known[by.fact]._replace(through=by) for fact, by in (through or {}).items()}
    sources = {fact.name: source._replace(held=(held or {}).get(fact)) for fact, source in {**known, **reached}.items()}
    return Dimension(name, title, sources, meaning=meaning)


def _attribute(
    name: str,
    title: str,
    keys: Mapping[Fact, tuple[str, tuple[str, ...]]],
    through: Mapping[Fact, Through] | None = None,
    held: Mapping[Fact, Held] | None = None,
    *,
    meaning: str,
) -> Dimension:
    """Define a dimension whose members have no other name than their key."""
    known = {fact: Source(key, key, joins) for fact, (key, joins) in keys.items()}
    return _dimension(name, title, known, through, held, meaning=meaning)


def _named(
    kind: str,
    title: str,
    keys: Mapping[Fact, tuple[str, tuple[str, ...]]],
    through: Mapping[Fact, Through] | None = None,
    held: Mapping[Fact, Held] | None = None,
    *,
    meaning: str,
) -> Dimension:
    """Define a dimension of catalog entries, labelled with the name they have today."""
    today = f"{kind}_today"
    known = {
        fact: Source(
            key,
            f"coalesce({today}.name, {key})",
            joins,
            (f"LEFT JOIN dim_{kind} {today} ON {today}.{kind}_id = {key} AND {today}.is_current",),
        )
        for fact, (key, joins) in keys.items()
    }
    return _dimension(kind, title, known, through, held, meaning=meaning)


DIMENSIONS: dict[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        _period("year", "Year", "year"),
        _period("quarter", "Quarter", "year_quarter"),
        _period("month", "Month", "year_month"),
        _period("week", "Week (ISO 8601)", "year_week"),
        _period("day", "Day", "date"),
        _named(
            "carrier",
            "Carrier",
            dict.fromkeys((ORDERS, ORDER_LINES, SHIPMENTS), ("f.carrier_id", ())),
            meaning="The one that was asked for with the order; where none was, the one that took the first units of "
            "the order, or of the line. Of a shipment its own.",
        ),
        _named(
            "supplier",
            "Supplier",
            dict.fromkeys(_OF_PRODUCTS, ("product_then.supplier_id", (_PRODUCT_THEN,)))
            | {STOCK_MOVEMENTS: (_RECEIVED_FROM, (_PRODUCT_THEN,))},
            _LINES,
            {fact: held for fact, held in _PRODUCT.items() if fact != STOCK_MOVEMENTS},
            meaning=f"The one that the product had {_THEN}. Of a receipt the one that sent the goods, if it is known.",
        ),
        _named(
            "product",
            "Product",
            dict.fromkeys(_OF_PRODUCTS, ("product_then.product_id", (_PRODUCT_THEN,))),
            _LINES,
            _PRODUCT,
            meaning="Of an order or a shipment each product of its lines.",
        ),
        _named(
            "customer",
            "Customer",
            dict.fromkeys((ORDERS, ORDER_LINES), ("f.customer_id", ())),
            _ORDER,
            meaning=f"The one that ordered{_OF_ORDER}.",
        ),
        _named(
            "location",
            "Location",
            {
                **dict.fromkeys((ORDER_LINES, SHIPMENTS, STOCK_MOVEMENTS), ("f.location_id", ())),
                STOCK_DAILY: ("location_then.location_id", (_LOCATION_THEN,)),
            },
            {ORDERS: _LINES[ORDERS]},
            {ORDERS: Held("f.location_ids", many=True), STOCK_DAILY: _LOCATION_OF_STOCK[STOCK_DAILY]},
            meaning="Where units of the line were allocated or left from, as it was recorded last. Of a shipment where "
            "it leaves, of stock where it is.",
        ),
        _attribute(
            "category",
            "Product category",
            dict.fromkeys(_OF_PRODUCTS, ("product_then.category", (_PRODUCT_THEN,))),
            _LINES,
            _PRODUCT,
            meaning=f"The one that the product had {_THEN}.",
        ),
        _attribute(
            "segment",
            "Customer segment",
            dict.fromkeys((ORDERS, ORDER_LINES), ("customer_then.segment", (_CUSTOMER_THEN,))),
            _ORDER,
            meaning=f"The one that the customer had then{_OF_ORDER}.",
        ),
        _attribute(
            "country",
            "Country of destination, or of the stock",
            {
                **dict.fromkeys((ORDERS, ORDER_LINES), ("f.country", ())),
                SHIPMENTS: ("f.destination_country", ()),
                **dict.fromkeys(_OF_STOCK, ("location_then.country", (_LOCATION_THEN,))),
            },
            held=_LOCATION_OF_STOCK,
            meaning="As ordered; where the order says nothing, that of the customer then. Of a shipment that of its "
            "destination, of stock that of the location then.",
        ),
        _attribute(
            "currency",
            "Currency of the order, or of the product's cost",
            {
                **dict.fromkeys((ORDERS, ORDER_LINES), ("f.currency", ())),
                **dict.fromkeys(_OF_STOCK, ("product_then.currency", (_PRODUCT_THEN,))),
            },
            _ORDER,
            {fact: _PRODUCT[fact] for fact in _OF_STOCK},
            meaning="That of the order, also for its shipments. Of stock and receipts that of the product then.",
        ),
        _attribute(
            "status",
            "Status of the order line, or of the shipment",
            dict.fromkeys((ORDER_LINES, SHIPMENTS), ("f.status", ())),
            {ORDERS: _LINES[ORDERS]},
            meaning="Of an order those of its lines. A line is `cancelled` when all of its units are; `returned`, "
            "`delivered` or `shipped` when all others are, `partly_shipped` when some are; before that `backordered` "
            "when a unit waits, `allocated` when all are, else `open`.",
        ),
        _attribute(
            "kind",
            "Kind of movement",
            {STOCK_MOVEMENTS: ("f.kind", ())},
            meaning="What happened: `received`, `shipped`, `counted`, ...",
        ),
    )
}
