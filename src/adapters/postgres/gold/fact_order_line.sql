-- comment: One row per order line as it stands now (accumulating snapshot); keys are those valid when it was placed.
-- key: stream_id, line_no
-- scope: stream_id
-- touched by orders: SELECT unnest(%(ids)s::text[])
-- touched by products: SELECT DISTINCT stream_id FROM order_lines WHERE product_id IN (SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s))
-- touched by customers: SELECT DISTINCT stream_id FROM order_lines WHERE customer_id IN (SELECT customer_id FROM customer_versions WHERE stream_id = ANY(%(ids)s))
-- touched by carriers: SELECT DISTINCT stream_id FROM order_lines WHERE ARRAY[carrier_id, shipping_carrier_id] && ARRAY(SELECT carrier_id FROM carrier_versions WHERE stream_id = ANY(%(ids)s))
-- touched by locations: SELECT DISTINCT stream_id FROM order_lines WHERE location_id IN (SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s))
SELECT
    l.stream_id,
    l.order_id,
    l.line_no,
    coalesce(p.product_key, 0) AS product_key,
    coalesce(cu.customer_key, 0) AS customer_key,
    coalesce(ca.carrier_key, 0) AS carrier_key,
    coalesce(sc.carrier_key, 0) AS shipping_carrier_key,
    coalesce(lo.location_key, 0) AS location_key,
    l.product_id,
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
    to_char(l.confirmed_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS confirmed_date_key,
    to_char(l.requested_date::timestamp, 'YYYYMMDD')::integer AS requested_date_key,
    to_char(l.promised_date::timestamp, 'YYYYMMDD')::integer AS promised_date_key,
    to_char(l.original_promised_date::timestamp, 'YYYYMMDD')::integer AS original_promised_date_key,
    to_char(l.first_shipped_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS first_shipped_date_key,
    to_char(l.last_shipped_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS last_shipped_date_key,
    to_char(l.delivered_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS delivered_date_key,
    to_char(l.cancelled_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS cancelled_date_key,
    l.placed_at,
    l.confirmed_at,
    l.backordered_at,
    l.first_shipped_at,
    l.last_shipped_at,
    l.delivered_at,
    l.cancelled_at,
    l.returned_at,
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
