-- An order with a shipped date left as a whole; its shipment is named after it.
WITH lines AS (
    SELECT order_id, list({line_no: product_id, quantity: quantity} ORDER BY product_id) AS lines
    FROM order_details
    GROUP BY order_id
)

SELECT
    order_id,
    shipped_date AS occurred_at,
    lines,
    order_id AS shipment_id,
    ship_via AS carrier_id,
    _file,
    'order-' || order_id AS _correlation
FROM orders
JOIN lines USING (order_id)
WHERE shipped_date IS NOT NULL
