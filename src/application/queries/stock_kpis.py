"""KPIs of stock: levels on the last day, averages over days, and movements."""

from __future__ import annotations

from application.queries.definitions import CORRECTIONS, RECEIPTS, SCRAPPINGS, STOCK_DAILY, STOCK_DAYS, Kpi
from application.queries.expressions import share, units

_BELOW = "f.available <= f.reorder_point"
_OUT = "f.available <= 0"
# Both are sums over the same days, so that average stock / average shipped a day is their quotient.
_STOCK = "sum(f.stock_value)"
_SHIPPED = "coalesce(sum(f.shipped * f.unit_value) FILTER (WHERE f.shipped <> 0), 0)"

STOCK_KPIS: tuple[Kpi, ...] = (
    Kpi(
        "stock_units",
        "Stock on hand",
        "units",
        "none",
        STOCK_DAILY,
        units("f.on_hand"),
        "Units on hand at the end of the last day.",
        "f.on_hand <> 0",
    ),
    Kpi(
        "stock_available",
        "Stock available",
        "units",
        "none",
        STOCK_DAILY,
        units("f.available"),
        "Units on hand, neither reserved nor quarantined, at the end of the last day.",
        "f.available <> 0",
    ),
    Kpi(
        "stock_value",
        "Stock value",
        "money",
        "none",
        STOCK_DAILY,
        "coalesce(sum(f.stock_value), 0)",
        "Units on hand times unit cost, or list price where no cost is known, at the end of the last day; units "
        "of which neither is known count for nothing.",
        "f.stock_value <> 0",
    ),
    Kpi(
        "below_reorder_point",
        "At or below reorder point",
        "stocks",
        "down",
        STOCK_DAILY,
        f"count(*) FILTER (WHERE {_BELOW})",
        "Stocks whose available units at the end of the last day are at the reorder point of that day or below it.",
        _BELOW,
    ),
    Kpi(
        "out_of_stock",
        "Out of stock",
        "stocks",
        "down",
        STOCK_DAILY,
        f"count(*) FILTER (WHERE {_OUT})",
        "Stocks without an available unit at the end of the last day.",
        _OUT,
    ),
    Kpi(
        "stock_out_share",
        "Stock-out share",
        "ratio",
        "down",
        STOCK_DAYS,
        share("sum(f.minutes_out_of_stock)", "1440 * count(*)"),
        "Time without an available unit / time, of all stocks and days from their first movements on; a stock's first "
        "day counts whole, the time before its movement as one with units.",
        "f.minutes_out_of_stock > 0",
    ),
    Kpi(
        "average_stock_value",
        "Average stock value",
        "money",
        "none",
        STOCK_DAYS,
        f"round({_STOCK} / nullif(count(DISTINCT f.date_key), 0), 4)",
        "Stock value at the end of each day, averaged over the days from the first movement of any of the stocks on.",
        "f.stock_value <> 0",
    ),
    Kpi(
        "inventory_days_of_supply",
        "Inventory days of supply",
        "days",
        "none",
        STOCK_DAYS,
        f"round({_STOCK} / nullif({_SHIPPED}, 0), 4)",
        "Average stock value / average value of the units shipped a day, both over the days and at unit cost.",
        "f.stock_value <> 0",
        "SCOR AM.2.2",
    ),
    Kpi(
        "inventory_turns",
        "Inventory turns",
        "a year",
        "up",
        STOCK_DAYS,
        f"round(365 * {_SHIPPED} / nullif({_STOCK}, 0), 4)",
        "Times a year that the average stock is shipped: 365 / inventory days of supply.",
        "f.shipped > 0",
        "365 / SCOR AM.2.2",
    ),
    Kpi(
        "units_received",
        "Units received",
        "units",
        "none",
        RECEIPTS,
        units("f.delta_on_hand"),
        "Units that came in from suppliers.",
    ),
    Kpi(
        "units_scrapped",
        "Units scrapped",
        "units",
        "down",
        SCRAPPINGS,
        units("-f.delta_on_hand"),
        "Units thrown away.",
    ),
    Kpi(
        "units_corrected",
        "Stock corrections",
        "units",
        "none",
        CORRECTIONS,
        units("f.delta_on_hand"),
        "Net units that counts and adjustments added or took away.",
        "f.delta_on_hand <> 0",
    ),
)
