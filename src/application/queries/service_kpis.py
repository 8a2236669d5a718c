"""KPIs of service: on time, in full, perfect, and how long it took.

Which date counts, whether shipping or delivery does, and what is late or in full is said by a policy, except
where the description names the date.
"""

from __future__ import annotations

from application.queries.definitions import ORDER_LINES, ORDERS, Fact, Kpi, Wording
from application.queries.expressions import DAY, average, days, percentile, rows, seconds, share_of_rows

_IN_FULL = "f.delivered > 0 AND f.delivered = f.ordered - f.cancelled"
_CYCLE = "f.placed_at", "f.delivered_at"
_ON_TIME = "{measured} AND NOT ({late})"
_ON_TIME_IN_FULL = f"{_ON_TIME} AND {{in_full}}"
_PERFECT = f"{_ON_TIME_IN_FULL} AND f.returned = 0"
_IN_TIME = "on time / those shipped (or delivered) that have a date, as the policy says."
_WHOLE = "in full / those of which a unit was shipped (or delivered), as the policy says."
_BOTH = "on time and in full / those shipped (or delivered) that have a date, as the policy says."
_ORDER_TO_DELIVERY = "from placing to the last delivery, over orders delivered in full"


def _kept(name: str, title: str, date: str, words: str) -> Kpi:
    """Define the share of delivered orders that kept a promised date."""
    kept = f"f.delivered_date_key <= f.{date} AND f.delivered = f.ordered - f.cancelled"
    return Kpi(
        name,
        title,
        "ratio",
        "up",
        ORDERS,
        share_of_rows(kept, f"f.delivered > 0 AND f.{date} IS NOT NULL"),
        f"Orders delivered in full, the last unit by {words} / orders delivered at least in part that have one; days"
        " are UTC.",
        kept,
        "SCOR RL.2.2",
    )


def _on_time_in_full(name: str, title: str, fact: Fact, what: str, of_lines: Wording | None = None) -> Kpi:
    return Kpi(
        name,
        title,
        "ratio",
        "up",
        fact,
        share_of_rows(_ON_TIME_IN_FULL, "{measured}"),
        f"{what} {_BOTH}",
        _ON_TIME_IN_FULL,
        "SCOR RL.2.1 and RL.2.2 together",
        of_lines=of_lines,
    )


SERVICE_KPIS: tuple[Kpi, ...] = (
    Kpi(
        "orders_late",
        "Orders late",
        "orders",
        "down",
        ORDERS,
        rows("{late}"),
        "Orders late by the policy; by the default one, those of which a unit was shipped on a day (UTC) after "
        "the requested date. Units still to be shipped make no order late.",
        "{late}",
        of_lines=Wording(
            "Order lines late",
            "Order lines late by the policy: those of which a unit was shipped (or delivered) after the date. Units "
            "still open make no line late.",
        ),
    ),
    Kpi(
        "on_time_rate",
        "On-time rate",
        "ratio",
        "up",
        ORDERS,
        share_of_rows(_ON_TIME, "{measured}"),
        f"Orders {_IN_TIME}",
        _ON_TIME,
        "SCOR RL.2.2, by the policy's date",
        of_lines=Wording("On-time rate, order lines", f"Order lines {_IN_TIME}"),
    ),
    Kpi(
        "in_full_rate",
        "In full",
        "ratio",
        "up",
        ORDERS,
        share_of_rows("{in_full}", "{done}"),
        f"Orders {_WHOLE}",
        "{in_full}",
        "SCOR RL.2.1",
        of_lines=Wording("In full, order lines", f"Order lines {_WHOLE}"),
    ),
    _on_time_in_full(
        "otif_rate",
        "On time in full",
        ORDERS,
        "Orders",
        Wording("On time in full, order lines", f"Order lines {_BOTH}"),
    ),
    _on_time_in_full("otif_order_rate", "On time in full, orders", ORDERS, "Orders"),
    _on_time_in_full("otif_line_rate", "On time in full, lines", ORDER_LINES, "Order lines"),
    Kpi(
        "perfect_order_rate",
        "Perfect orders",
        "ratio",
        "up",
        ORDERS,
        share_of_rows(_PERFECT, "{measured}"),
        "Orders on time, in full and without a returned unit / those shipped (or delivered) that have a date, as "
        "the policy says. Errors in documents (RL.2.3) are not recorded, and don't count.",
        _PERFECT,
        "SCOR RL.1.1",
    ),
    _kept("on_time_original_rate", "On time to the first promise", "original_promised_date_key", "the first promise"),
    _kept("on_time_revised_rate", "On time to the promise", "promised_date_key", "the promise as last revised"),
    Kpi(
        "orders_late_to_promise",
        "Orders delivered after the promise",
        "orders",
        "down",
        ORDERS,
        rows("f.delivered_date_key > f.original_promised_date_key"),
        "Orders of which a unit was delivered on a day (UTC) after the first promised date.",
        "f.delivered_date_key > f.original_promised_date_key",
    ),
    Kpi(
        "time_to_ship_days",
        "Time to ship",
        "days",
        "down",
        ORDER_LINES,
        average(days("f.placed_at", "f.first_shipped_at"), "f.shipped > 0"),
        "Average days from placing, or adding a line later, to its first shipment, over order lines shipped.",
        "f.shipped > 0",
    ),
    Kpi(
        "order_cycle_time_days",
        "Order cycle time",
        "days",
        "down",
        ORDERS,
        average(days(*_CYCLE), _IN_FULL),
        f"Average days {_ORDER_TO_DELIVERY}.",
        _IN_FULL,
        "SCOR RS.1.1",
    ),
    Kpi(
        "order_cycle_time_p50_days",
        "Order cycle time, median",
        "days",
        "down",
        ORDERS,
        percentile(0.5, seconds(*_CYCLE), _IN_FULL, per=DAY),
        f"Median of the days {_ORDER_TO_DELIVERY}.",
        _IN_FULL,
        "SCOR RS.1.1",
    ),
    Kpi(
        "order_cycle_time_p95_days",
        "Order cycle time, 95 %",
        "days",
        "down",
        ORDERS,
        percentile(0.95, seconds(*_CYCLE), _IN_FULL, per=DAY),
        f"95th percentile of the days {_ORDER_TO_DELIVERY}.",
        _IN_FULL,
        "SCOR RS.1.1",
    ),
)
