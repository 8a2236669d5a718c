"""Inventory: what is where, how long it lasts, what to order, and when there was nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from application.ports.listings import Star
from application.queries.definitions import STOCK_DAILY, STOCK_DAYS, Kpi, Listing
from application.queries.dimensions import DIMENSIONS
from application.queries.expressions import rows as count_of
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.measuring import (
    by_step,
    in_currencies,
    levels,
    measured,
    named,
    over_time,
    table_by,
    tiles,
)
from application.queries.views.shapes import Column, Series, Table, Tile

LEVELS = ("stock_value", "stock_units", "stock_available", "below_reorder_point", "out_of_stock")
FLOWS = ("inventory_days_of_supply", "inventory_turns", "stock_out_share")
BY_LOCATION = ("stock_units", "stock_available", "stock_value", "below_reorder_point", "out_of_stock")
SHOWN = 200
_SUPPLY_DAYS = 28
STOCKS_OUT = Kpi(
    "stocks_out",
    "Stocks without an available unit",
    "stocks",
    "down",
    STOCK_DAYS,
    count_of("f.available <= 0"),
    "Stocks that ended the day without an available unit.",
    "f.available <= 0",
)
# How much leaves a day, over the last four weeks, or all days since the first movement where those are fewer.
_LEAVES = f"""LEFT JOIN LATERAL (
    SELECT sum(recent.shipped)::numeric / count(*) AS a_day FROM fact_stock_daily recent
    WHERE recent.stream_id = f.stream_id
    AND recent.date_key > to_char(f.date_key::text::date - {_SUPPLY_DAYS}, 'YYYYMMDD')::integer
    AND recent.date_key <= f.date_key
) leaves ON true"""
_NAMES = (
    "LEFT JOIN dim_product goods ON goods.product_key = f.product_key",
    "LEFT JOIN dim_location place ON place.location_key = f.location_key",
    "LEFT JOIN dim_supplier source ON source.supplier_id = goods.supplier_id AND source.is_current",
)
_STOCK = (
    ("stream_id", "f.stream_id"),
    ("product", "coalesce(goods.name, f.product_id)"),
    ("location", "coalesce(place.name, f.location_id)"),
    ("supplier", "coalesce(source.name, goods.supplier_id)"),
    ("on_hand", "f.on_hand"),
    ("available", "f.available"),
    ("reorder_point", "f.reorder_point"),
    ("a_day", "leaves.a_day"),
    ("stock_value", "f.stock_value"),
    ("currency", "goods.currency"),
)
REORDER = Listing(
    STOCK_DAILY,
    _STOCK,
    "f.available - f.reorder_point, f.stream_id",
    (*_NAMES, _LEAVES),
    "f.available <= f.reorder_point",
)
STOCKS = Listing(STOCK_DAILY, _STOCK, "f.stock_value DESC NULLS LAST, f.stream_id", (*_NAMES, _LEAVES))


class Day(NamedTuple):
    """A day of the stock-out calendar."""

    day: date
    stocks: int


class Inventory(NamedTuple):
    """What the page shows: `levels`, `locations` and both lists as they are now, the rest over the period."""

    levels: tuple[Tile, ...]
    flows: tuple[Tile, ...]
    over_time: tuple[Series, ...]
    calendar: tuple[Day, ...]
    locations: Table
    reorder: Table
    stocks: Table


def inventory(star: Star, choice: Choice) -> Inventory:
    """Measure and list stock; raises AnalyticsUnavailableError."""
    where = choice.where(STOCK_DAILY)
    value = in_currencies(star, KPIS["stock_value"], choice, None)
    # A level over time is that of each day, of which the last may have fewer currencies.
    each_day = in_currencies(star, replace(KPIS["stock_value"], fact=STOCK_DAYS), choice, choice.period)
    stock = [KPIS["stock_units"], replace(value, title=each_day.title)]
    return Inventory(
        levels(star, named(choice, LEVELS, value), choice),
        tiles(star, named(choice, FLOWS), choice),
        over_time(by_step(star, stock, choice), stock, choice),
        _calendar(star, choice),
        _as_of_now(star, choice, value),
        _table("To reorder: available units at the reorder point or below", star.rows(REORDER, where, SHOWN)),
        _table("Stock by product and location", star.rows(STOCKS, where, SHOWN)),
    )


def supply_days(available: int, a_day: Decimal | None) -> Decimal | None:
    """Return for how many days the available units last; None where nothing leaves."""
    return round(Decimal(max(0, available)) / a_day, 1) if a_day else None


def _as_of_now(star: Star, choice: Choice, value: Kpi) -> Table:
    whole = Choice(choice.now, None, choice.members, choice.policy)
    return table_by(star, named(choice, BY_LOCATION, value), DIMENSIONS["location"], whole, "Stock by location")


def _calendar(star: Star, choice: Choice) -> tuple[Day, ...]:
    found = measured(star, [STOCKS_OUT], choice, choice.period, DIMENSIONS["day"])
    days = (Day(date.fromisoformat(m.key), int(figures["stocks_out"] or 0)) for m, figures in found.items() if m.key)
    return tuple(sorted(days))


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    columns = (
        Column("Product"),
        Column("Location"),
        Column("Supplier"),
        Column("On hand", "count"),
        Column("Available", "count"),
        Column("Reorder point", "count"),
        Column("Days of supply", "number"),
        Column("Stock value", "money"),
        Column("Currency"),
    )
    made = tuple(
        (
            *(row[name] for name in ("product", "location", "supplier", "on_hand", "available", "reorder_point")),
            supply_days(row["available"], row["a_day"]),
            row["stock_value"],
            row["currency"],
        )
        for row in rows
    )
    title = f"{title}, the first {SHOWN}" if len(rows) == SHOWN else title
    return Table(title, columns, made, tuple(r["stream_id"] for r in rows))
