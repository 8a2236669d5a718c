"""The KPIs, each defined once: dashboard, report, command line and tests all read them here.

An order counts on the day it was placed, a line that it got later on the day it was added, a shipment on the day it
was planned, a movement on the day it happened; days are UTC. Levels of stock are those at the end of the last day on
which anything moved, of a period at its end, by month at the end of each. Amounts are in the currency of the orders,
those of stock in that of the products: where there are several, break them down by it. Sums of amounts are never
rounded; shares are to 6 places, averages and percentiles, which are interpolated, to 4. What would be divided by 0 is
unknown.
"""

from __future__ import annotations

from application.queries.definitions import Kpi
from application.queries.order_kpis import ORDER_KPIS
from application.queries.service_kpis import SERVICE_KPIS
from application.queries.shipment_kpis import SHIPMENT_KPIS
from application.queries.stock_kpis import STOCK_KPIS
from application.queries.supplier_kpis import SUPPLIER_KPIS

KPIS: dict[str, Kpi] = {
    kpi.name: kpi for kpi in (*ORDER_KPIS, *SERVICE_KPIS, *SHIPMENT_KPIS, *STOCK_KPIS, *SUPPLIER_KPIS)
}
