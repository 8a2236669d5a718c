"""KPIs of stock: levels on the last day, and movements."""

from __future__ import annotations

from application.queries.definitions import STOCK_DAILY, STOCK_MOVEMENTS, Kpi
from application.queries.expressions import units

_BELOW = "f.available <= f.reorder_point"

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
        "Units on hand times unit cost, or list price where no cost is known, at the end of the last day.",
        "f.stock_value <> 0",
    ),
    Kpi(
        "below_reorder_point",
        "At or below reorder point",
        "stocks",
        "down",
        STOCK_DAILY,
        f"count(*) FILTER (WHERE {_BELOW})",
        "Stocks whose available units at the end of the last day are at the reorder point or below it.",
        _BELOW,
    ),
    Kpi(
        "out_of_stock",
        "Out of stock",
        "stocks",
        "down",
        STOCK_DAILY,
        "count(*) FILTER (WHERE f.available <= 0)",
        "Stocks without an available unit at the end of the last day.",
        "f.available <= 0",
    ),
    Kpi(
        "units_received",
        "Units received",
        "units",
        "none",
        STOCK_MOVEMENTS,
        units("f.delta_on_hand", "f.kind = 'received'"),
        "Units that came in from suppliers.",
        "f.kind = 'received'",
    ),
    Kpi(
        "units_scrapped",
        "Units scrapped",
        "units",
        "down",
        STOCK_MOVEMENTS,
        units("-f.delta_on_hand", "f.kind = 'scrapped'"),
        "Units thrown away.",
        "f.kind = 'scrapped'",
    ),
    Kpi(
        "units_corrected",
        "Stock corrections",
        "units",
        "none",
        STOCK_MOVEMENTS,
        units("f.delta_on_hand", "f.kind IN ('counted', 'adjusted')"),
        "Net units that counts and adjustments added or took away.",
        "f.kind IN ('counted', 'adjusted') AND f.delta_on_hand <> 0",
    ),
)
