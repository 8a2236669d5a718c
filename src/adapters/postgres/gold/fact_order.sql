-- comment: One row per order as it stands now (accumulating snapshot): its lines added up, in units and money; times are the first or last of its lines, keys those valid when it was placed.
-- key: stream_id
-- scope: stream_id
-- touched by orders: SELECT unnest(%(ids)s::text[])
-- touched by products: SELECT DISTINCT l.stream_id FROM order_lines l JOIN product_versions v USING (product_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND l.placed_at >= v.valid_from AND (l.placed_at < v.valid_to) IS NOT FALSE
-- touched by customers: SELECT stream_id FROM orders WHERE customer_id IN (SELECT customer_id FROM customer_versions WHERE stream_id = ANY(%(ids)s))
-- touched by carriers: SELECT DISTINCT stream_id FROM order_lines WHERE ARRAY[carrier_id, shipping_carrier_id] && ARRAY(SELECT carrier_id FROM carrier_versions WHERE stream_id = ANY(%(ids)s))
-- column stream_id: the order's stream
-- column order_id: the order
-- column customer_key: version of the customer when the order was placed
-- column carrier_key: version, when the order was placed, of the carrier in carrier_id
-- column customer_id: the customer
-- column carrier_id?: the carrier that was asked for; where none was, the one that took the first units
-- column ship_to_city?: where to, as ordered
-- column country?: where to, as ordered; where the order says nothing, the country of the customer
-- column currency: ISO 4217 code of all amounts of the row
-- column status: where the order stands
-- column placed_date_key: day on which it was placed (UTC, as all days here)
-- column requested_date_key?: day that the customer asked for
-- column promised_date_key?: day that is promised now
-- column original_promised_date_key?: day that was promised first
-- column last_shipped_date_key?: day on which units last left
-- column delivered_date_key?: day on which units last arrived
-- column placed_at: when it was placed
-- column confirmed_at?: when it was confirmed
-- column backordered_at?: when units first had to wait for stock
-- column first_shipped_at?: when units first left
-- column last_shipped_at?: when units last left
-- column delivered_at?: when units last arrived
-- column cancelled_at?: when the whole order was cancelled
-- column returned_at?: when units last came back
-- column closed_at?: when it was closed
-- column lines: lines
-- column lines_wanted: lines that were not cancelled as a whole
-- column lines_shipped: of these, lines of which all units that are wanted left
-- column lines_delivered: of these, lines of which all units that are wanted arrived
-- column ordered: units ordered
-- column backordered: units that wait for stock
-- column shipped: units that left
-- column delivered: units that arrived
-- column cancelled: units cancelled
-- column returned: units that came back
-- column gross: ordered units times price
-- column net: gross less discount
-- column freight: freight
-- column product_keys: version of the product of each line when the line was ordered, so that orders are found by what their lines are of
-- column location_ids: where units of each line were allocated or left from, as recorded last; null in it for a line without
-- column first_position: position of the first event behind the row
-- column last_position: position of the last event behind the row
-- references dim_customer: customer_key
-- references dim_carrier: carrier_key
-- references dim_date: placed_date_key, requested_date_key, promised_date_key, original_promised_date_key, last_shipped_date_key, delivered_date_key
-- check: status IN ('placed', 'confirmed', 'cancelled', 'closed')
-- check: returned <= delivered AND delivered <= shipped AND shipped + cancelled + backordered <= ordered
-- Covering, so that a KPI of a year, a carrier or a country reads an index instead of rows. Without the arrays: those of an order of hundreds of lines are too long for an index of this kind.
-- index: placed_date_key including carrier_id, country, placed_at, delivered_at, requested_date_key, promised_date_key, original_promised_date_key, last_shipped_date_key, delivered_date_key, ordered, shipped, delivered, cancelled, returned, net
-- index: customer_id
-- gin index: product_keys, location_ids
-- Those of which units are still to be shipped, among all there ever were.
-- index: promised_date_key including requested_date_key where shipped < ordered - cancelled
WITH lines_of_products AS (
    SELECT l.*, p.product_key
    FROM order_lines l
    LEFT JOIN product_versions p
        ON p.product_id = l.product_id
        AND p.valid_from <= l.placed_at AND (p.valid_to IS NULL OR l.placed_at < p.valid_to)
),
lines AS (
    SELECT
        stream_id,
        count(*) AS lines,
        count(*) FILTER (WHERE cancelled < ordered) AS lines_wanted,
        count(*) FILTER (WHERE cancelled < ordered AND shipped = ordered - cancelled) AS lines_shipped,
        count(*) FILTER (WHERE cancelled < ordered AND delivered = ordered - cancelled) AS lines_delivered,
        sum(ordered)::bigint AS ordered,
        sum(backordered)::bigint AS backordered,
        sum(shipped)::bigint AS shipped,
        sum(delivered)::bigint AS delivered,
        sum(cancelled)::bigint AS cancelled,
        sum(returned)::bigint AS returned,
        sum(gross) AS gross,
        sum(net) AS net,
        sum(freight) AS freight,
        min(backordered_at) AS backordered_at,
        min(first_shipped_at) AS first_shipped_at,
        max(last_shipped_at) AS last_shipped_at,
        max(delivered_at) AS delivered_at,
        max(returned_at) AS returned_at,
        -- The carrier of the first units that left.
        (array_agg(shipping_carrier_id ORDER BY first_shipped_at, line_no))[1] AS shipping_carrier_id,
        -- In the same order, so that there is one sort.
        array_agg(coalesce(product_key, member_key('product-' || product_id)) ORDER BY first_shipped_at, line_no) AS product_keys,
        array_agg(location_id ORDER BY first_shipped_at, line_no) AS location_ids
    FROM lines_of_products
    GROUP BY stream_id
)
SELECT
    l.stream_id,
    o.order_id,
    coalesce(cu.customer_key, member_key('customer-' || o.customer_id)) AS customer_key,
    coalesce(ca.carrier_key, member_key('carrier-' || coalesce(o.carrier_id, l.shipping_carrier_id)), 0) AS carrier_key,
    o.customer_id,
    coalesce(o.carrier_id, l.shipping_carrier_id) AS carrier_id,
    o.ship_to_city,
    coalesce(o.ship_to_country, cu.country) AS country,
    o.currency,
    o.status,
    to_char(o.placed_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS placed_date_key,
    to_char(o.requested_date::timestamp, 'YYYYMMDD')::integer AS requested_date_key,
    to_char(o.promised_date::timestamp, 'YYYYMMDD')::integer AS promised_date_key,
    to_char(o.original_promised_date::timestamp, 'YYYYMMDD')::integer AS original_promised_date_key,
    to_char(l.last_shipped_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS last_shipped_date_key,
    to_char(l.delivered_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS delivered_date_key,
    o.placed_at,
    o.confirmed_at,
    l.backordered_at,
    l.first_shipped_at,
    l.last_shipped_at,
    l.delivered_at,
    o.cancelled_at,
    l.returned_at,
    o.closed_at,
    l.lines,
    l.lines_wanted,
    l.lines_shipped,
    l.lines_delivered,
    l.ordered,
    l.backordered,
    l.shipped,
    l.delivered,
    l.cancelled,
    l.returned,
    l.gross,
    l.net,
    l.freight,
    l.product_keys,
    l.location_ids,
    o.first_position,
    o.last_position
FROM lines l
JOIN orders o ON o.stream_id = l.stream_id
LEFT JOIN customer_versions cu
    ON cu.customer_id = o.customer_id
    AND cu.valid_from <= o.placed_at AND (cu.valid_to IS NULL OR o.placed_at < cu.valid_to)
LEFT JOIN carrier_versions ca
    ON ca.carrier_id = coalesce(o.carrier_id, l.shipping_carrier_id)
    AND ca.valid_from <= o.placed_at AND (ca.valid_to IS NULL OR o.placed_at < ca.valid_to)
