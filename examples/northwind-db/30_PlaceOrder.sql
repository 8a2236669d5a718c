-- A line is numbered by its product, which an order has once: so the others keep theirs when one comes or goes.
-- An order without lines gets an empty list: it is refused and seen, or all its lines are cancelled.
WITH lines AS (
    SELECT
        order_id,
        list(
            {
                line_no: product_id,
                product_id: product_id::VARCHAR,
                quantity: quantity,
                unit_price: round(unit_price, 2)::DECIMAL(18, 2),
                discount: round(discount, 4)::DECIMAL(5, 4)
            }
            ORDER BY product_id
        ) AS lines
    FROM order_details
    GROUP BY order_id
)

SELECT
    order_id,
    order_date AS occurred_at,
    customer_id,
    coalesce(lines, []) AS lines,
    round(freight, 2)::DECIMAL(18, 2) AS freight,
    required_date AS requested_date,
    ship_via AS carrier_id,
    ship_city AS ship_to_city,
    ship_country AS ship_to_country,
    _file,
    'order-' || order_id AS _correlation
FROM orders
LEFT JOIN lines USING (order_id)
