"""KPIs of shipments."""

from __future__ import annotations

from application.queries.definitions import SHIPMENTS, Kpi
from application.queries.expressions import HOUR, average, days, percentile, seconds, share, units

_DISPATCHED = "f.dispatched_at IS NOT NULL"
_DELIVERED = "f.delivered_at IS NOT NULL"
_DELIVERED_LATE = "f.delivered_at > f.planned_delivery_at"
_MEASURED = "f.delivered_at IS NOT NULL AND f.planned_delivery_at IS NOT NULL"
_DELAY = seconds("f.planned_delivery_at", "f.delivered_at")
# Whole millimetres: floats without a fraction have the same sum in any order, and need not become decimals first.
_KILOMETRES = "round((coalesce(sum(round(f.distance_km * 1e6)), 0) / 1e6)::numeric, 1)"

SHIPMENT_KPIS: tuple[Kpi, ...] = (
    Kpi(
        "shipments",
        "Shipments",
        "shipments",
        "up",
        SHIPMENTS,
        "count(*) FILTER (WHERE f.voided_at IS NULL)",
        "Shipments planned and not voided.",
        "f.voided_at IS NULL",
    ),
    Kpi(
        "shipments_dispatched",
        "Shipments dispatched",
        "shipments",
        "up",
        SHIPMENTS,
        f"count(*) FILTER (WHERE {_DISPATCHED})",
        "Shipments that left.",
        _DISPATCHED,
    ),
    Kpi(
        "shipments_delivered",
        "Shipments delivered",
        "shipments",
        "up",
        SHIPMENTS,
        f"count(*) FILTER (WHERE {_DELIVERED})",
        "Shipments that arrived.",
        _DELIVERED,
    ),
    Kpi(
        "shipments_late",
        "Shipments delivered late",
        "shipments",
        "down",
        SHIPMENTS,
        f"count(*) FILTER (WHERE {_DELIVERED_LATE})",
        "Shipments that arrived after the planned time of delivery.",
        _DELIVERED_LATE,
    ),
    Kpi(
        "delivery_on_time_rate",
        "Deliveries on time",
        "ratio",
        "up",
        SHIPMENTS,
        share(
            "count(*) FILTER (WHERE f.delivered_at <= f.planned_delivery_at)",
            f"count(*) FILTER (WHERE {_DELIVERED} AND f.planned_delivery_at IS NOT NULL)",
        ),
        "Shipments that arrived by the planned time / shipments that arrived and had one.",
        "f.delivered_at <= f.planned_delivery_at",
        "SCOR RL.2.2, by the carrier",
    ),
    Kpi(
        "delivery_delay_p50_hours",
        "Delay of deliveries, median",
        "hours",
        "down",
        SHIPMENTS,
        percentile(0.5, _DELAY, _MEASURED, per=HOUR),
        "Median of the hours from the planned to the actual delivery, over shipments that have both; below 0 is early.",
        _MEASURED,
    ),
    Kpi(
        "delivery_delay_p95_hours",
        "Delay of deliveries, 95 %",
        "hours",
        "down",
        SHIPMENTS,
        percentile(0.95, _DELAY, _MEASURED, per=HOUR),
        "95th percentile of the hours from the planned to the actual delivery, over shipments that have both.",
        _MEASURED,
    ),
    Kpi(
        "transit_days",
        "Time in transit",
        "days",
        "down",
        SHIPMENTS,
        average(days("f.dispatched_at", "f.delivered_at"), _DELIVERED),
        "Average days from dispatch to delivery, over shipments delivered.",
        _DELIVERED,
    ),
    Kpi(
        "shipment_exceptions",
        "Shipment exceptions",
        "exceptions",
        "down",
        SHIPMENTS,
        units("f.exceptions"),
        "Exceptions raised on shipments, resolved ones included.",
        "f.exceptions > 0",
    ),
    Kpi(
        "failed_attempts",
        "Failed delivery attempts",
        "attempts",
        "down",
        SHIPMENTS,
        units("f.attempts"),
        "Times that a carrier tried to deliver and could not.",
        "f.attempts > 0",
    ),
    Kpi(
        "distance_km",
        "Distance",
        "km",
        "none",
        SHIPMENTS,
        _KILOMETRES,
        "Length of the measured routes.",
        "f.distance_km IS NOT NULL",
    ),
)
