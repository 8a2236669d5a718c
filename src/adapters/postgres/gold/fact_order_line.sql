-- comment: One row per order line as it stands now (accumulating snapshot); keys are those valid when it was ordered.
-- key: stream_id, line_no
-- scope: stream_id
-- touched by orders: SELECT unnest(%(ids)s::text[])
-- touched by products: SELECT DISTINCT l.stream_id FROM order_lines l JOIN product_versions v USING (product_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND l.placed_at >= v.valid_from AND (l.placed_at < v.valid_to) IS NOT FALSE
-- touched by suppliers: SELECT DISTINCT l.stream_id FROM supplier_versions v JOIN product_versions p USING (supplier_id) JOIN order_lines l USING (product_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND l.placed_at >= v.valid_from AND (l.placed_at < v.valid_to) IS NOT FALSE
-- touched by customers: SELECT DISTINCT l.stream_id FROM order_lines l JOIN customer_versions v USING (customer_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND l.placed_at >= v.valid_from AND (l.placed_at < v.valid_to) IS NOT FALSE
-- touched by carriers: SELECT DISTINCT l.stream_id FROM order_lines l JOIN carrier_versions v ON v.carrier_id IN (l.carrier_id, l.shipping_carrier_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND (least(l.placed_at, l.first_shipped_at) < v.valid_to) IS NOT FALSE
-- touched by locations: SELECT DISTINCT l.stream_id FROM order_lines l JOIN location_versions v USING (location_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND l.placed_at >= v.valid_from AND (l.placed_at < v.valid_to) IS NOT FALSE
-- Covering, so that a KPI with one filter reads an index instead of rows.
-- index: placed_date_key including gross, net, freight, ordered, shipped, delivered, cancelled, returned, backordered, backordered_at, placed_at, first_shipped_at, last_shipped_date_key, requested_date_key
-- index: product_key including stream_id, gross, net, freight, ordered, shipped, delivered, cancelled, returned, backordered, backordered_at, placed_at, first_shipped_at, last_shipped_date_key, requested_date_key
-- index: location_id including stream_id, gross, net, freight, ordered, shipped, delivered, cancelled, returned, backordered, backordered_at, placed_at, first_shipped_at, last_shipped_date_key, requested_date_key
-- index: carrier_id including gross, net, freight, ordered, shipped, delivered, cancelled, returned, backordered, backordered_at, placed_at, first_shipped_at, last_shipped_date_key, requested_date_key
-- index: country including gross, net, freight, ordered, shipped, delivered, cancelled, returned, backordered, backordered_at, placed_at, first_shipped_at, last_shipped_date_key, requested_date_key
-- index: customer_id
-- The few that wait, among all there ever were.
-- index: backordered_at where backordered > 0
-- column stream_id: the order's stream
-- column order_id: the order
-- column line_no: the number of the line in its order
-- column product_key: version of the product when the line was ordered
-- column supplier_key: version, when the line was ordered, of the supplier that the product then had
-- column customer_key: version of the customer when the line was ordered
-- column carrier_key: version, when the line was ordered, of the carrier in carrier_id
-- column shipping_carrier_key: version, when units first left, of the carrier that took them
-- column location_key: version, when the line was ordered, of the location in location_id
-- column product_id: the product
-- column supplier_id?: the supplier that the product had when the line was ordered
-- column customer_id: the customer
-- column carrier_id?: the carrier that was asked for; where none was, the one that took the first units
-- column shipping_carrier_id?: the carrier that took the first units
-- column location_id?: where units were allocated or left from, as recorded last
-- column shipment_id?: the shipment that took the first units
-- column ship_to_city?: where to, as ordered
-- column ship_to_country?: where to, as ordered
-- column country?: where to, as ordered; where the order says nothing, the country of the customer
-- column currency: ISO 4217 code of all amounts of the row
-- column status: where the line stands
-- column placed_date_key: day on which the line was ordered: that of its order, or a later one (UTC, as all days here)
-- column placed_time_key: minute of the day in which the line was ordered
-- column confirmed_date_key?: day of confirmed_at
-- column requested_date_key?: day that the customer asked for
-- column promised_date_key?: day that is promised now
-- column original_promised_date_key?: day that was promised first
-- column allocated_date_key?: day on which units were first allocated
-- column first_shipped_date_key?: day on which units first left
-- column last_shipped_date_key?: day on which units last left
-- column delivered_date_key?: day on which units last arrived
-- column cancelled_date_key?: day on which units were last cancelled
-- column returned_date_key?: day on which units last came back
-- column placed_at: when the order was placed; for a line added later, when it was added
-- column confirmed_at?: when the order was confirmed; for a line added after that, when it was added
-- column first_allocated_at?: when units were first allocated
-- column backordered_at?: when units first had to wait for stock
-- column first_shipped_at?: when units first left
-- column last_shipped_at?: when units last left
-- column delivered_at?: when units last arrived
-- column cancelled_at?: when units were last cancelled
-- column returned_at?: when units last came back
-- column promise_revisions: how often the promise was changed
-- column days_to_confirm?: days from placed to confirmed, with fractions
-- column days_to_allocate?: days from placed to first allocated, with fractions
-- column days_to_ship?: days from placed to first shipped, with fractions
-- column days_to_deliver?: days from placed to last delivered, with fractions
-- column days_in_transit?: days from first shipped to last delivered, with fractions
-- column days_after_request?: calendar days that the last delivery came after the requested one; negative if before
-- column days_after_promise?: calendar days that the last delivery came after the promise that holds
-- column days_after_original_promise?: calendar days that the last delivery came after the first promise
-- column ordered: units ordered = open + backordered + allocated + shipped + cancelled
-- column open: units for which nothing is decided
-- column backordered: units that wait for stock
-- column allocated: units set aside and not shipped
-- column shipped: units that left
-- column delivered: units of those shipped that arrived
-- column cancelled: units cancelled
-- column returned: units of those delivered that came back
-- column unit_price: price of a unit
-- column discount: share of the price that is not paid, from 0 to 1
-- column gross: ordered units times price
-- column net: gross less discount
-- column freight: the line's share of the order's freight
-- column first_position: position of the first event behind the row
-- column last_position: position of the last event behind the row
-- references dim_product: product_key
-- references dim_supplier: supplier_key
-- references dim_customer: customer_key
-- references dim_carrier: carrier_key, shipping_carrier_key
-- references dim_location: location_key
-- references dim_time: placed_time_key
-- references dim_date: placed_date_key, confirmed_date_key, requested_date_key, promised_date_key, original_promised_date_key, allocated_date_key, first_shipped_date_key, last_shipped_date_key, delivered_date_key, cancelled_date_key, returned_date_key
-- check: ordered = open + backordered + allocated + shipped + cancelled
-- check: least(open, backordered, allocated, returned) >= 0 AND returned <= delivered AND delivered <= shipped
-- check: status IN ('open', 'backordered', 'allocated', 'partly_shipped', 'shipped', 'delivered', 'returned', 'cancelled')
SELECT
    l.stream_id,
    l.order_id,
    l.line_no,
    coalesce(p.product_key, member_key('product-' || l.product_id)) AS product_key,
    coalesce(su.supplier_key, member_key('supplier-' || p.supplier_id), 0) AS supplier_key,
    coalesce(cu.customer_key, member_key('customer-' || l.customer_id)) AS customer_key,
    coalesce(ca.carrier_key, member_key('carrier-' || coalesce(l.carrier_id, l.shipping_carrier_id)), 0) AS carrier_key,
    coalesce(sc.carrier_key, member_key('carrier-' || l.shipping_carrier_id), 0) AS shipping_carrier_key,
    coalesce(lo.location_key, member_key('location-' || l.location_id), 0) AS location_key,
    l.product_id,
    p.supplier_id,
    l.customer_id,
    -- The carrier that was asked for; where none was, the one that took the first units.
    coalesce(l.carrier_id, l.shipping_carrier_id) AS carrier_id,
    l.shipping_carrier_id,
    l.location_id,
    l.shipment_id,
    l.ship_to_city,
    l.ship_to_country,
    coalesce(l.ship_to_country, cu.country) AS country,
    l.currency,
    l.status,
    to_char(l.placed_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS placed_date_key,
    (date_part('hour', l.placed_at AT TIME ZONE 'UTC') * 60 + date_part('minute', l.placed_at AT TIME ZONE 'UTC'))::integer AS placed_time_key,
    to_char(l.confirmed_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS confirmed_date_key,
    to_char(l.requested_date::timestamp, 'YYYYMMDD')::integer AS requested_date_key,
    to_char(l.promised_date::timestamp, 'YYYYMMDD')::integer AS promised_date_key,
    to_char(l.original_promised_date::timestamp, 'YYYYMMDD')::integer AS original_promised_date_key,
    to_char(l.first_allocated_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS allocated_date_key,
    to_char(l.first_shipped_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS first_shipped_date_key,
    to_char(l.last_shipped_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS last_shipped_date_key,
    to_char(l.delivered_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS delivered_date_key,
    to_char(l.cancelled_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS cancelled_date_key,
    to_char(l.returned_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS returned_date_key,
    l.placed_at,
    l.confirmed_at,
    l.first_allocated_at,
    l.backordered_at,
    l.first_shipped_at,
    l.last_shipped_at,
    l.delivered_at,
    l.cancelled_at,
    l.returned_at,
    l.promise_revisions,
    date_part('epoch', l.confirmed_at - l.placed_at) / 86400 AS days_to_confirm,
    date_part('epoch', l.first_allocated_at - l.placed_at) / 86400 AS days_to_allocate,
    date_part('epoch', l.first_shipped_at - l.placed_at) / 86400 AS days_to_ship,
    date_part('epoch', l.delivered_at - l.placed_at) / 86400 AS days_to_deliver,
    date_part('epoch', l.delivered_at - l.first_shipped_at) / 86400 AS days_in_transit,
    (l.delivered_at AT TIME ZONE 'UTC')::date - l.requested_date AS days_after_request,
    (l.delivered_at AT TIME ZONE 'UTC')::date - l.promised_date AS days_after_promise,
    (l.delivered_at AT TIME ZONE 'UTC')::date - l.original_promised_date AS days_after_original_promise,
    l.ordered,
    l.open,
    l.backordered,
    l.allocated,
    l.shipped,
    l.delivered,
    l.cancelled,
    l.returned,
    l.unit_price,
    l.discount,
    l.gross,
    l.net,
    l.freight,
    l.first_position,
    l.last_position
FROM order_lines l
LEFT JOIN product_versions p
    ON p.product_id = l.product_id
    AND p.valid_from <= l.placed_at AND (p.valid_to IS NULL OR l.placed_at < p.valid_to)
LEFT JOIN supplier_versions su
    ON su.supplier_id = p.supplier_id
    AND su.valid_from <= l.placed_at AND (su.valid_to IS NULL OR l.placed_at < su.valid_to)
LEFT JOIN customer_versions cu
    ON cu.customer_id = l.customer_id
    AND cu.valid_from <= l.placed_at AND (cu.valid_to IS NULL OR l.placed_at < cu.valid_to)
LEFT JOIN carrier_versions ca
    ON ca.carrier_id = coalesce(l.carrier_id, l.shipping_carrier_id)
    AND ca.valid_from <= l.placed_at AND (ca.valid_to IS NULL OR l.placed_at < ca.valid_to)
LEFT JOIN carrier_versions sc
    ON sc.carrier_id = l.shipping_carrier_id
    AND sc.valid_from <= l.first_shipped_at AND (sc.valid_to IS NULL OR l.first_shipped_at < sc.valid_to)
LEFT JOIN location_versions lo
    ON lo.location_id = l.location_id
    AND lo.valid_from <= l.placed_at AND (lo.valid_to IS NULL OR l.placed_at < lo.valid_to)
