"""The dimensions that figures are broken down by.

Attributes that change (category, supplier) are those of the time of the fact; names are today's.
"""

from __future__ import annotations

from collections.abc import Mapping

from application.queries.definitions import (
    FACTS,
    ORDER_LINES,
    SHIPMENTS,
    STOCK_DAILY,
    STOCK_MOVEMENTS,
    Dimension,
    Fact,
    Source,
)

_OF_PRODUCTS = (ORDER_LINES, STOCK_MOVEMENTS, STOCK_DAILY)
_PRODUCT_THEN = "LEFT JOIN dim_product product_then ON product_then.product_key = f.product_key"
_CUSTOMER_THEN = "LEFT JOIN dim_customer customer_then ON customer_then.customer_key = f.customer_key"


def _period(name: str, title: str, column: str) -> Dimension:
    key = f"calendar.{column}::text"
    sources = {
        fact.name: Source(key, key, (f"LEFT JOIN dim_date calendar ON calendar.date_key = f.{fact.date_key}",))
        for fact in FACTS
    }
    return Dimension(name, title, sources, time=True)


def _attribute(name: str, title: str, keys: Mapping[Fact, tuple[str, tuple[str, ...]]]) -> Dimension:
    """Define a dimension whose members have no other name than their key."""
    return Dimension(name, title, {fact.name: Source(key, key, joins) for fact, (key, joins) in keys.items()})


def _named(kind: str, title: str, facts: tuple[Fact, ...], key: str = "", joins: tuple[str, ...] = ()) -> Dimension:
    """Define a dimension of catalog entries, labelled with the name they have today."""
    key = key or f"f.{kind}_id"
    today = f"{kind}_today"
    name_of = f"LEFT JOIN dim_{kind} {today} ON {today}.{kind}_id = {key} AND {today}.is_current"
    source = Source(key, f"coalesce({today}.name, {key})", (*joins, name_of))
    return Dimension(kind, title, {fact.name: source for fact in facts})


DIMENSIONS: dict[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        _period("year", "Year", "year"),
        _period("quarter", "Quarter", "year_quarter"),
        _period("month", "Month", "year_month"),
        _period("week", "Week (ISO 8601)", "year_week"),
        _period("day", "Day", "date"),
        _named("carrier", "Carrier", (ORDER_LINES, SHIPMENTS)),
        _named("supplier", "Supplier", _OF_PRODUCTS, "product_then.supplier_id", (_PRODUCT_THEN,)),
        _named("product", "Product", _OF_PRODUCTS),
        _named("customer", "Customer", (ORDER_LINES,)),
        _named("location", "Location", FACTS),
        _attribute(
            "category",
            "Product category",
            dict.fromkeys(_OF_PRODUCTS, ("product_then.category", (_PRODUCT_THEN,))),
        ),
        _attribute(
            "segment",
            "Customer segment",
            {ORDER_LINES: ("customer_then.segment", (_CUSTOMER_THEN,))},
        ),
        _attribute(
            "country",
            "Country of destination",
            {
                ORDER_LINES: ("coalesce(f.ship_to_country, customer_then.country)", (_CUSTOMER_THEN,)),
                SHIPMENTS: ("f.destination_country", ()),
            },
        ),
        _attribute("currency", "Currency", {ORDER_LINES: ("f.currency", ())}),
        _attribute("status", "Status", {ORDER_LINES: ("f.status", ()), SHIPMENTS: ("f.status", ())}),
        _attribute("kind", "Kind of movement", {STOCK_MOVEMENTS: ("f.kind", ())}),
    )
}
