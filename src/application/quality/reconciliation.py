"""Reconciliation: events, silver and gold agree in counts and money, and no message is lost."""

from __future__ import annotations

from application.codec import topics_of
from application.quality.check import Check, reconcile
from domain.order.events import OrderLinesAdded, OrderLinesIncreased, OrderPlaced

APPLIED = (
    "(SELECT coalesce(max(notification_id), 0) FROM events.notification_tracking WHERE application_name = 'analytics')"
)
"""The position of the read models."""


def _recorded_as(*events: type) -> str:
    """Return, as what stands after IN, the topics of all versions of these events; each has the fields read here."""
    return f"({', '.join(map(repr, topics_of(*events)))})"


_WITH_LINES = _recorded_as(OrderPlaced, OrderLinesAdded)
_LISTED = f"""
    SELECT sum(cardinality(lines)) AS count, sum(gross) AS gross, sum(net) AS net, sum(freight) AS freight
    FROM events.stored_events,
    LATERAL (SELECT convert_from(state, 'UTF8')::jsonb -> 'data' AS data) AS stored,
    LATERAL (SELECT ARRAY(SELECT jsonb_array_elements(data -> 'lines')) AS lines) AS listed,
    LATERAL (
        SELECT sum(units) AS gross, sum(units * (1 - coalesce((line ->> 'discount')::numeric, 0))) AS net
        FROM unnest(lines) AS line,
        LATERAL (SELECT (line ->> 'quantity')::numeric * (line ->> 'unit_price')::numeric AS units) AS priced
    ) AS priced,
    LATERAL (SELECT (data ->> 'freight')::numeric AS freight) AS charged
    WHERE topic IN {_WITH_LINES} AND notification_id <= {APPLIED}
"""
# More units of a line are worth what the event that has the line says.
_INCREASED = f"""
    SELECT 0 AS count, sum(units) AS gross, sum(units * (1 - coalesce((line ->> 'discount')::numeric, 0))) AS net,
        0 AS freight
    FROM events.stored_events AS increased
    JOIN events.stored_events AS listed ON listed.originator_id = increased.originator_id
        AND listed.topic IN {_WITH_LINES},
    LATERAL jsonb_array_elements(convert_from(increased.state, 'UTF8')::jsonb -> 'data' -> 'lines') AS more,
    LATERAL jsonb_array_elements(convert_from(listed.state, 'UTF8')::jsonb -> 'data' -> 'lines') AS line,
    LATERAL (SELECT (more ->> 'quantity')::numeric * (line ->> 'unit_price')::numeric AS units) AS priced
    WHERE increased.topic IN {_recorded_as(OrderLinesIncreased)} AND increased.notification_id <= {APPLIED}
        AND line -> 'line_no' = more -> 'line_no'
"""
_ORDERED = f"""
    SELECT sum(count) AS count, sum(gross) AS gross, sum(net) AS net, sum(freight) AS freight
    FROM ({_LISTED} UNION ALL {_INCREASED}) AS ordered
"""
_OF_LINES = "SELECT count(*) AS count, sum(gross) AS gross, sum(net) AS net, sum(freight) AS freight FROM {}"


def _differ(*layers: tuple[str, str]) -> str:
    """Return the figures of the first layer that others don't share; the key says what each layer has."""
    named = ", ".join(f"{name} AS ({query})" for name, query in layers)
    first, others = layers[0][0], [name for name, _ in layers[1:]]
    joins = " ".join(f"CROSS JOIN {name}" for name in others)
    figures = []
    for figure in ("count", "gross", "net", "freight"):
        said = ", ".join(f"'{name} ' || coalesce({name}.{figure}, 0)" for name, _ in layers)
        unlike = " OR ".join(f"coalesce({first}.{figure}, 0) <> coalesce({name}.{figure}, 0)" for name in others)
        figures.append(f"SELECT concat_ws(', ', '{figure}', {said}) FROM {first} {joins} WHERE {unlike}")
    return f"WITH {named} " + " UNION ALL ".join(figures)


def _rows_differ(first: str, second: str, key: str, columns: str) -> str:
    """Return the keys of rows that two tables, or queries in parentheses, don't share, or not with these columns."""
    return (
        f"SELECT concat_ws(' ', {key}) FROM {first} AS a FULL JOIN {second} AS b USING ({key}) "
        f"WHERE ROW({_of('a', columns)}) IS DISTINCT FROM ROW({_of('b', columns)}) ORDER BY 1"
    )


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{name}" for name in columns.split(", "))


_UNITS_AND_MONEY = "ordered, backordered, shipped, delivered, cancelled, returned, gross, net, freight"
_SUMMED = ", ".join(f"sum({name}) AS {name}" for name in _UNITS_AND_MONEY.split(", "))
# What lines have of their order is the same for all of them; of times, an order has the first or the last.
_DUE = ("requested", "promised", "original_promised")
_FIRST = ("first_shipped_at", "backordered_at", *(f"{each}_date_key" for each in _DUE))
_LAST = ("last_shipped_at", "delivered_at", "returned_at")
_DATED = ", ".join((*_FIRST, *_LAST))
_ENDS = ", ".join([*(f"min({name}) AS {name}" for name in _FIRST), *(f"max({name}) AS {name}" for name in _LAST)])
_DUE_KEYS = ", ".join(f"to_char({each}_date::timestamp, 'YYYYMMDD')::integer AS {each}_date_key" for each in _DUE)
_LEVELS = "on_hand, reserved, quarantined"
_OF_SHIPMENT = (
    "order_id, carrier_id, units, units_delivered, status, planned_at, planned_delivery_at, dispatched_at, "
    "delivered_at, returned_at, voided_at, exceptions, attempts, distance_km"
)

ROWS_BY_EVENT = {
    "silver.order_line_events": {
        "OrderLineAllocated": "allocated",
        "AllocationReleased": "allocation_released",
        "OrderLineBackordered": "backordered",
        "OrderLineShipped": "shipped",
        "OrderLineDelivered": "delivered",
        "OrderLineCancelled": "cancelled",
        "OrderLineReturned": "returned",
    },
    "silver.shipment_events": {
        "ShipmentPlanned": "planned",
        "ShipmentDispatched": "dispatched",
        "ShipmentLocationReported": "located",
        "EtaRevised": "eta_revised",
        "ShipmentDelayed": "delayed",
        "ShipmentExceptionRaised": "exception_raised",
        "ShipmentExceptionResolved": "exception_resolved",
        "DeliveryAttempted": "delivery_attempted",
        "ShipmentDelivered": "delivered",
        "ShipmentReturned": "returned",
        "ShipmentVoided": "voided",
        "RouteMeasured": "route_measured",
        "WeatherObserved": "weather_observed",
    },
    "gold.fact_stock_movement": {
        "StockReceived": "received",
        "StockReserved": "reserved",
        "ReservationReleased": "reservation_released",
        "StockShipped": "shipped",
        "StockTransferredOut": "transferred_out",
        "StockTransferredIn": "transferred_in",
        "StockCounted": "counted",
        "StockAdjusted": "adjusted",
        "StockQuarantined": "quarantined",
        "StockReleasedFromQuarantine": "released_from_quarantine",
        "StockScrapped": "scrapped",
        "StockReturned": "returned",
    },
}


def _events_without_rows() -> str:
    pairs = ", ".join(
        f"('{event}', '{table}', '{kind}')" for table, kinds in ROWS_BY_EVENT.items() for event, kind in kinds.items()
    )
    rows = " UNION ALL ".join(f"SELECT '{table}', kind, count(*) FROM {table} GROUP BY kind" for table in ROWS_BY_EVENT)
    return f"""
        WITH pairs (event, "table", kind) AS (VALUES {pairs}),
        recorded AS (
            SELECT split_part(topic, '.', 1) AS event, count(*) AS events
            FROM events.stored_events WHERE notification_id <= {APPLIED} GROUP BY 1
        ),
        kept ("table", kind, rows) AS ({rows})
        SELECT concat(event, ': ', coalesce(events, 0), ' events, ', coalesce(rows, 0), ' rows of ', "table", ' ', kind)
        FROM pairs LEFT JOIN recorded USING (event) LEFT JOIN kept USING ("table", kind)
        WHERE kind <> 'placed' AND coalesce(events, 0) <> coalesce(rows, 0)
    """


RECONCILIATIONS: tuple[Check, ...] = (
    reconcile(
        "order lines",
        "lines, gross, net and freight of what events say was ordered are those of silver and of gold",
        _differ(
            ("events_say", _ORDERED),
            ("silver_says", _OF_LINES.format("silver.order_lines")),
            ("gold_says", _OF_LINES.format("gold.fact_order_line")),
        ),
    ),
    reconcile(
        "line by line",
        "each line has in gold the units, money, currency, status and times that it has in silver",
        _rows_differ(
            f"(SELECT *, {_DUE_KEYS} FROM silver.order_lines)",
            "gold.fact_order_line",
            "stream_id, line_no",
            f"{_UNITS_AND_MONEY}, {_DATED}, currency, status, placed_at, cancelled_at",
        ),
    ),
    reconcile(
        "orders",
        "the lines of each order add up to its units and money, and have its first and last times",
        _rows_differ(
            f"(SELECT stream_id, {_SUMMED}, {_ENDS} FROM gold.fact_order_line GROUP BY stream_id)",
            "gold.fact_order",
            "stream_id",
            f"{_UNITS_AND_MONEY}, {_DATED}",
        ),
    ),
    reconcile(
        "freight",
        "the freight of each order is that of its lines",
        _rows_differ(
            "(SELECT stream_id, sum(freight) AS freight FROM silver.order_lines GROUP BY stream_id)",
            "silver.orders",
            "stream_id",
            "freight",
        ),
    ),
    reconcile(
        "stock movements",
        "each movement is in gold what it is in silver",
        _rows_differ(
            "silver.stock_movements",
            "gold.fact_stock_movement",
            "stream_id, version",
            f"kind, moved_at, product_id, location_id, delta_on_hand, delta_reserved, delta_quarantined, {_LEVELS}, "
            "supplier_id, ordered_at, unit_cost",
        ),
    ),
    reconcile("events", "each event of a line, a shipment or a stock has its row", _events_without_rows()),
    reconcile(
        "shipments",
        "each shipment has in gold the units, status, times and incidents that it has in silver",
        "SELECT concat(coalesce(s.stream_id, g.stream_id), ': units ', s.units, ' and ', g.units) "
        "FROM silver.shipments s FULL JOIN gold.fact_shipment g USING (stream_id) "
        f"WHERE ({_of('s', _OF_SHIPMENT)}) IS DISTINCT FROM ({_of('g', _OF_SHIPMENT)})",
    ),
    reconcile(
        "stock levels",
        "the movements of a stock add up to its levels, and its last day shows them",
        "SELECT s.stream_id FROM silver.stock s "
        "LEFT JOIN (SELECT stream_id, sum(delta_on_hand) AS on_hand, sum(delta_reserved) AS reserved, "
        "sum(delta_quarantined) AS quarantined FROM gold.fact_stock_movement GROUP BY 1) m USING (stream_id) "
        "LEFT JOIN gold.fact_stock_daily d ON d.stream_id = s.stream_id "
        "AND d.date_key = (SELECT to_char(max(last_moved_on), 'YYYYMMDD')::integer FROM silver.stock) "
        f"WHERE s.last_moved_on IS NOT NULL AND (({_of('s', _LEVELS)}) IS DISTINCT FROM ({_of('m', _LEVELS)}) "
        f"OR ({_of('s', _LEVELS)}) IS DISTINCT FROM ({_of('d', _LEVELS)}))",
    ),
    reconcile(
        "messages",
        "received = applied + duplicate + quarantined: what quarantine keeps are the messages that are marked so",
        "SELECT concat_ws('/', topic, partition, \"offset\") FROM "
        "(SELECT * FROM bronze.messages WHERE outcome = 'quarantined') m "
        "FULL JOIN (SELECT * FROM bronze.quarantine WHERE status <> 'retried') q USING (topic, partition, \"offset\") "
        "WHERE m.outcome IS NULL OR q.status IS NULL",
    ),
)
