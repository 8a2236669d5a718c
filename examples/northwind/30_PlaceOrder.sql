-- One row for each order, its lines as a list; lines are numbered in the order of their products.
WITH lines AS (
    SELECT
        order_id,
        list(
            {
                line_no: line_no,
                product_id: product_id::VARCHAR,
                quantity: quantity,
                unit_price: round(unit_price, 2)::DECIMAL(18, 2),
                discount: round(discount, 4)::DECIMAL(5, 4)
            }
            ORDER BY line_no
        ) AS lines
    FROM (
        SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY product_id) AS line_no
        FROM order_details
    )
    GROUP BY order_id
)

SELECT
    order_id::VARCHAR AS order_id,
    order_date AS occurred_at,
    customer_id,
    lines,
    round(freight, 2)::DECIMAL(18, 2) AS freight,
    required_date AS requested_date,
    ship_via AS carrier_id,
    ship_city AS ship_to_city,
    ship_country AS ship_to_country,
    _file,
    _line,
    'order-' || order_id AS _correlation
FROM orders
LEFT JOIN lines USING (order_id)
ORDER BY _line
