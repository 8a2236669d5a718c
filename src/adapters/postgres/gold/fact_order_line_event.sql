-- comment: One row per event of an order line (transaction), with the units that it moved and those in that state after it; keys of product, supplier and customer are those of fact_order_line.
-- key: stream_id, version, line_no
-- materialized: no
-- column stream_id: the order's stream
-- column version: the event's version in it
-- column line_no: the number of the line in its order
-- column order_id: the order
-- column product_key: version of the product when the line was ordered
-- column supplier_key: version of the supplier when the line was ordered
-- column customer_key: version of the customer when the line was ordered
-- column carrier_key: version, at the time of the event, of the carrier that took the units; 0 but for shipped
-- column location_key: version, at the time of the event, of the location that set them aside; 0 but for allocated
-- column date_key: day of the event (UTC)
-- column time_key: minute of the day of the event
-- column occurred_at: when it happened
-- column kind: placed, added, increased, allocated, allocation_released, backordered, shipped, delivered, cancelled or returned
-- column quantity: units that the event moved
-- column level: units of the line in that state after the event: ordered, allocated, backordered, shipped, delivered, cancelled or returned
-- column shipment_id?: the shipment of shipped units
-- column first_position: position of the event
-- column last_position: position of the event
SELECT
    e.stream_id,
    e.version,
    e.line_no,
    l.order_id,
    l.product_key,
    l.supplier_key,
    l.customer_key,
    coalesce(ca.carrier_key, member_key('carrier-' || e.carrier_id), 0) AS carrier_key,
    coalesce(lo.location_key, member_key('location-' || e.location_id), 0) AS location_key,
    to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS date_key,
    (date_part('hour', e.occurred_at AT TIME ZONE 'UTC') * 60 + date_part('minute', e.occurred_at AT TIME ZONE 'UTC'))::integer AS time_key,
    e.occurred_at,
    e.kind,
    e.quantity,
    e.level,
    e.shipment_id,
    e.first_position,
    e.last_position
FROM order_line_events e
JOIN fact_order_line l ON l.stream_id = e.stream_id AND l.line_no = e.line_no
LEFT JOIN carrier_versions ca
    ON ca.carrier_id = e.carrier_id
    AND ca.valid_from <= e.occurred_at AND (ca.valid_to IS NULL OR e.occurred_at < ca.valid_to)
LEFT JOIN location_versions lo
    ON lo.location_id = e.location_id
    AND lo.valid_from <= e.occurred_at AND (lo.valid_to IS NULL OR e.occurred_at < lo.valid_to)
