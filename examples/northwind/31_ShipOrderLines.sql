-- An order with a shipped date left as a whole; its shipment is named after it.
WITH lines AS (
    SELECT order_id, list({line_no: line_no, quantity: quantity} ORDER BY line_no) AS lines
    FROM (
        SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY product_id) AS line_no
        FROM order_details
    )
    GROUP BY order_id
)

SELECT
    order_id::VARCHAR AS order_id,
    shipped_date AS occurred_at,
    lines,
    order_id::VARCHAR AS shipment_id,
    ship_via AS carrier_id,
    _file,
    _line,
    'order-' || order_id AS _correlation
FROM orders
LEFT JOIN lines USING (order_id)
WHERE shipped_date IS NOT NULL
ORDER BY _line
