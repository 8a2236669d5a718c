"""KPIs of suppliers, from what was received and when it had been ordered."""

from __future__ import annotations

from application.queries.definitions import RECEIPTS, Kpi
from application.queries.expressions import average, percentile, share_of_rows

_ORDERED = "f.lead_days IS NOT NULL"
_AGREED = f"{_ORDERED} AND f.agreed_lead_days IS NOT NULL"
_IN_TIME = f"{_AGREED} AND f.lead_days <= f.agreed_lead_days"
_OVER = "over receipts whose day of ordering is known"

SUPPLIER_KPIS: tuple[Kpi, ...] = (
    Kpi(
        "supplier_lead_time_days",
        "Supplier lead time",
        "days",
        "down",
        RECEIPTS,
        average("f.lead_days", _ORDERED),
        f"Average calendar days from the order to the receipt of the goods, {_OVER}.",
        _ORDERED,
        "SCOR RS.2.1, source cycle time",
    ),
    Kpi(
        "supplier_lead_time_p95_days",
        "Supplier lead time, 95 %",
        "days",
        "down",
        RECEIPTS,
        percentile(0.95, "f.lead_days", _ORDERED),
        f"95th percentile of the calendar days from the order to the receipt of the goods, {_OVER}.",
        _ORDERED,
        "SCOR RS.2.1, source cycle time",
    ),
    Kpi(
        "supplier_reliability",
        "Supplier reliability",
        "ratio",
        "up",
        RECEIPTS,
        share_of_rows(_IN_TIME, _AGREED),
        "Receipts within the lead time that the supplier had agreed to when it got the order / receipts of which "
        "both are known; calendar days.",
        _IN_TIME,
        "SCOR RL.3.20, orders and lines received on time",
    ),
    Kpi(
        "spend",
        "Spend",
        "money",
        "none",
        RECEIPTS,
        "coalesce(sum(f.delta_on_hand * f.unit_cost), 0)",
        "Units received from suppliers times what each cost; units of unknown cost count for nothing.",
        "f.unit_cost IS NOT NULL",
    ),
)
