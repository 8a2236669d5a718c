-- comment: One row per movement of a stock, in units (transaction); keys are those valid when it happened.
-- key: stream_id, version
-- scope: stream_id
-- touched by stock: SELECT unnest(%(ids)s::text[])
-- since stock: first_position SELECT unnest(%(ids)s::text[]), %(first)s
-- touched by products: SELECT stream_id FROM stock WHERE product_id IN (SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s))
-- touched by suppliers: SELECT DISTINCT stream_id FROM stock_movements WHERE supplier_id IN (SELECT supplier_id FROM supplier_versions WHERE stream_id = ANY(%(ids)s))
-- touched by locations: SELECT stream_id FROM stock WHERE location_id IN (SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s))
-- index: moved_date_key
-- index: kind, moved_date_key including product_key, location_key, location_id, supplier_id, delta_on_hand, lead_days, agreed_lead_days, unit_cost
-- references dim_product: product_key
-- references dim_location: location_key
-- references dim_supplier: supplier_key
-- references dim_date: moved_date_key
-- references dim_time: moved_time_key
-- check: kind IN ('received', 'reserved', 'reservation_released', 'shipped', 'transferred_out', 'transferred_in', 'counted', 'adjusted', 'quarantined', 'released_from_quarantine', 'scrapped', 'returned')
-- check: on_hand >= reserved + quarantined AND least(reserved, quarantined) >= 0
-- column stream_id: the stock's stream
-- column version: the event's version in it
-- column product_key: version of the product at the time of the movement
-- column location_key: version of the location at the time of the movement
-- column supplier_key: version of the supplier at the time of the movement; 0 but for goods received from one
-- column product_id: the product
-- column location_id: where
-- column moved_date_key: day of the movement (UTC)
-- column moved_time_key: minute of the day of the movement
-- column moved_at: when it happened
-- column kind: what happened
-- column delta_on_hand: change of the units on hand
-- column delta_reserved: change of the reserved units
-- column delta_quarantined: change of the blocked units
-- column on_hand: units on hand after the event, in the order of the log
-- column reserved: reserved units after the event
-- column quarantined: blocked units after the event
-- column reason?: why, for corrections, blocks, releases and scrapping
-- column reservation_id?: the reservation concerned
-- column shipment_id?: the shipment that took the units
-- column transfer_id?: the transfer
-- column order_id?: the order that units came back from
-- column supplier_id?: who supplied received goods
-- column ordered_at?: when received goods were ordered
-- column lead_days?: calendar days from the order to the goods
-- column agreed_lead_days?: lead time of the supplier as agreed when the goods were ordered
-- column unit_cost?: what a received unit cost
-- column lost?: units of a transfer that were sent and never came in
-- column first_position: position of the event
-- column last_position: position of the event
SELECT
    m.stream_id,
    m.version,
    coalesce(p.product_key, member_key('product-' || m.product_id)) AS product_key,
    coalesce(lo.location_key, member_key('location-' || m.location_id)) AS location_key,
    coalesce(sm.supplier_key, member_key('supplier-' || m.supplier_id), 0) AS supplier_key,
    m.product_id,
    m.location_id,
    to_char(m.moved_on::timestamp, 'YYYYMMDD')::integer AS moved_date_key,
    (date_part('hour', m.moved_at AT TIME ZONE 'UTC') * 60 + date_part('minute', m.moved_at AT TIME ZONE 'UTC'))::integer AS moved_time_key,
    m.moved_at,
    m.kind,
    m.delta_on_hand,
    m.delta_reserved,
    m.delta_quarantined,
    m.on_hand,
    m.reserved,
    m.quarantined,
    m.reason,
    m.reservation_id,
    m.shipment_id,
    m.transfer_id,
    m.order_id,
    m.supplier_id,
    m.ordered_at,
    -- Calendar days from the order to the goods, and those that the supplier's version of that day agrees to.
    (m.moved_at AT TIME ZONE 'UTC')::date - (m.ordered_at AT TIME ZONE 'UTC')::date AS lead_days,
    CASE WHEN m.ordered_at IS NOT NULL THEN su.lead_time_days END AS agreed_lead_days,
    m.unit_cost,
    m.lost,
    m.first_position,
    m.last_position
FROM stock_movements m
LEFT JOIN product_versions p
    ON p.product_id = m.product_id
    AND p.valid_from <= m.moved_at AND (p.valid_to IS NULL OR m.moved_at < p.valid_to)
LEFT JOIN location_versions lo
    ON lo.location_id = m.location_id
    AND lo.valid_from <= m.moved_at AND (lo.valid_to IS NULL OR m.moved_at < lo.valid_to)
LEFT JOIN supplier_versions su
    ON su.supplier_id = m.supplier_id
    AND su.valid_from <= m.ordered_at AND (su.valid_to IS NULL OR m.ordered_at < su.valid_to)
LEFT JOIN supplier_versions sm
    ON sm.supplier_id = m.supplier_id
    AND sm.valid_from <= m.moved_at AND (sm.valid_to IS NULL OR m.moved_at < sm.valid_to)
