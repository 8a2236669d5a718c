WITH lines AS (
    SELECT
        order_id,
        list(
            {line_no: product_id, product_id: product_id::VARCHAR, quantity: quantity}
            ORDER BY product_id
        ) AS lines
    FROM order_details
    GROUP BY order_id
)

SELECT
    order_id AS shipment_id,
    shipped_date AS occurred_at,
    order_id,
    lines,
    ship_via AS carrier_id,
    'main' AS origin_location_id,
    ship_city AS destination_city,
    ship_country AS destination_country,
    shipped_date AS planned_dispatch_at,
    required_date AS planned_delivery_at,
    _file,
    'order-' || order_id AS _correlation
FROM orders
JOIN lines USING (order_id)
WHERE shipped_date IS NOT NULL
