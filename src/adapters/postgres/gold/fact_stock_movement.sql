-- comment: One row per movement of a stock, in units (transaction); keys are those valid when it happened.
-- key: stream_id, version
-- scope: stream_id
-- touched by stock: SELECT unnest(%(ids)s::text[])
-- touched by products: SELECT stream_id FROM stock WHERE product_id IN (SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s))
-- touched by suppliers: SELECT DISTINCT stream_id FROM stock_movements WHERE supplier_id IN (SELECT supplier_id FROM supplier_versions WHERE stream_id = ANY(%(ids)s))
-- touched by locations: SELECT stream_id FROM stock WHERE location_id IN (SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s))
SELECT
    m.stream_id,
    m.version,
    coalesce(p.product_key, 0) AS product_key,
    coalesce(lo.location_key, 0) AS location_key,
    m.product_id,
    m.location_id,
    to_char(m.moved_on::timestamp, 'YYYYMMDD')::integer AS moved_date_key,
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
