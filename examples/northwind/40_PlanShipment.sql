WITH lines AS (
    SELECT
        order_id,
        list(
            {line_no: line_no, product_id: product_id::VARCHAR, quantity: quantity}
            ORDER BY line_no
        ) AS lines
    FROM (
        SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY product_id) AS line_no
        FROM order_details
    )
    GROUP BY order_id
)

SELECT
    order_id::VARCHAR AS shipment_id,
    shipped_date AS occurred_at,
    order_id::VARCHAR AS order_id,
    lines,
    ship_via AS carrier_id,
    'main' AS origin_location_id,
    ship_city AS destination_city,
    ship_country AS destination_country,
    shipped_date AS planned_dispatch_at,
    required_date AS planned_delivery_at,
    _file,
    _line,
    'order-' || order_id AS _correlation
FROM orders
LEFT JOIN lines USING (order_id)
WHERE shipped_date IS NOT NULL
ORDER BY _line
