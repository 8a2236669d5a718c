SELECT
    order_id AS shipment_id,
    shipped_date AS occurred_at,
    _file,
    'order-' || order_id AS _correlation
FROM orders
WHERE shipped_date IS NOT NULL
