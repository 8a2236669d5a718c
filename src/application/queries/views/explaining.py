"""What the page can explain: the KPIs, and the figures that depend on the moment that counts as now."""

from __future__ import annotations

from dataclasses import replace

from application.ports.listings import Star
from application.queries.currencies import currencies, titled
from application.queries.definitions import SHIPMENTS_UNDER_WAY, UNSHIPPED_ORDERS, Kpi
from application.queries.explain import ExplainedFigure, explain
from application.queries.kpis import KPIS
from application.queries.policies import under
from application.queries.views.choice import Choice

OVERDUE_ORDERS, OVERDUE_SHIPMENTS = "overdue_orders", "overdue_shipments"
_OF_NOW = {OVERDUE_ORDERS: "Orders overdue", OVERDUE_SHIPMENTS: "Shipments overdue"}
TITLES = {name: kpi.title for name, kpi in KPIS.items()} | _OF_NOW
"""The titles of all figures that can be explained, by their names."""


def overdue_orders(choice: Choice) -> Kpi:
    """Return the number of orders whose day has passed with units still to be shipped."""
    due = f"coalesce(f.promised_date_key, f.requested_date_key) < {choice.now:%Y%m%d}"
    meaning = (
        "Orders whose promised day (UTC), or requested one where none is promised, has passed with units that were "
        "neither shipped nor cancelled."
    )
    title, fact = _OF_NOW[OVERDUE_ORDERS], UNSHIPPED_ORDERS
    return Kpi(OVERDUE_ORDERS, title, "orders", "down", fact, f"count(*) FILTER (WHERE {due})", meaning, due)


def overdue_shipments(choice: Choice) -> Kpi:
    """Return the number of shipments that are under way after the time that they were to arrive."""
    due = f"coalesce(f.eta, f.planned_delivery_at) < timestamptz '{choice.now.isoformat()}'"
    meaning = "Shipments under way whose expected arrival, or planned one where none is expected, has passed."
    title, fact = _OF_NOW[OVERDUE_SHIPMENTS], SHIPMENTS_UNDER_WAY
    return Kpi(OVERDUE_SHIPMENTS, title, "shipments", "down", fact, f"count(*) FILTER (WHERE {due})", meaning, due)


def explained(star: Star, name: str, choice: Choice) -> ExplainedFigure:
    """Return a figure by its name in `TITLES`, within what was chosen, and rows behind it.

    The title of money, and of what is made of money of several currencies, names the currencies.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    of_now = {OVERDUE_ORDERS: overdue_orders, OVERDUE_SHIPMENTS: overdue_shipments}
    kpi = of_now[name](choice) if name in of_now else under(KPIS[name], choice.policy)
    where = choice.where(kpi.fact, choice.period)
    with star.moment() as moment:
        figure = explain(moment, kpi, where, choice.policy)
        found = currencies(moment, [kpi], None, where)
    of = found[kpi.name].now if kpi.name in found else ()
    named = of if kpi.unit == "money" or len(of) > 1 else ()
    return figure._replace(kpi=replace(kpi, title=titled(kpi, named)))
