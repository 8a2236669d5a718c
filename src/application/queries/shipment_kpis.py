"""KPIs of shipments."""

from __future__ import annotations

from application.queries.definitions import SHIPMENTS, Kpi
from application.queries.expressions import days, share, units

_LATE = "f.last_shipped_date_key > f.requested_date_key"
_DISPATCHED = "f.dispatched_at IS NOT NULL"
_DELIVERED = "f.delivered_at IS NOT NULL"
_DELIVERED_LATE = "f.delivered_at > f.planned_delivery_at"

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
    ),
    Kpi(
        "transit_days",
        "Time in transit",
        "days",
        "down",
        SHIPMENTS,
        days("f.dispatched_at", "f.delivered_at", _DELIVERED),
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
        "round(coalesce(sum(f.distance_km::numeric), 0), 1)",
        "Length of the measured routes.",
        "f.distance_km IS NOT NULL",
    ),
)
