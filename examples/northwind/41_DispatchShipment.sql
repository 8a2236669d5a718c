SELECT
    order_id::VARCHAR AS shipment_id,
    shipped_date AS occurred_at,
    _file,
    _line,
    'order-' || order_id AS _correlation
FROM orders
WHERE shipped_date IS NOT NULL
ORDER BY _line
