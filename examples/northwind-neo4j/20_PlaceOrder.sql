-- The details of an order whose own row is broken find no order here, and so become no message.
WITH lines AS (
    SELECT
        orderID,
        list(
            {
                line_no: line_no,
                product_id: productID::VARCHAR,
                quantity: quantity,
                unit_price: unitPrice,
                discount: discount
            }
            ORDER BY line_no
        ) AS lines
    FROM (
        SELECT *, row_number() OVER (PARTITION BY orderID ORDER BY productID) AS line_no
        FROM order_details
    )
    GROUP BY orderID
)

SELECT
    orderID::VARCHAR AS order_id,
    orderDate AS occurred_at,
    customerID AS customer_id,
    lines,
    freight,
    requiredDate AS requested_date,
    shipVia AS carrier_id,
    shipCity AS ship_to_city,
    shipCountry AS ship_to_country,
    _file,
    _line
FROM orders
LEFT JOIN lines USING (orderID)
ORDER BY _line
