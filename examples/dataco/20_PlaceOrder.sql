-- One row for each order. A line's discount is what makes price times quantity its total: the rate in the data is
-- rounded to whole percents. The scheduled days for shipment are what the seller promises.
WITH priced AS (
    SELECT
        *,
        round("Order Item Product Price", 2)::DECIMAL(18, 2) AS price,
        round("Order Item Total", 2)::DECIMAL(18, 2) AS total,
        row_number() OVER (PARTITION BY "Order Id" ORDER BY "Order Item Id") AS line_no
    FROM lines
),
items AS (
    SELECT
        "Order Id",
        list(
            {
                line_no: line_no,
                product_id: "Product Card Id",
                quantity: "Order Item Quantity",
                unit_price: price,
                discount: round(1 - total / (price * "Order Item Quantity")::DOUBLE, 9)::DECIMAL(10, 9)
            }
            ORDER BY line_no
        ) AS lines
    FROM priced
    GROUP BY "Order Id"
)

SELECT
    "Order Id" AS order_id,
    "order date (DateOrders)" AS occurred_at,
    "Order Customer Id" AS customer_id,
    items.lines,
    "order date (DateOrders)"::DATE + "Days for shipment (scheduled)" AS promised_date,
    lower(replace("Shipping Mode", ' ', '-')) AS carrier_id,
    "Order City" AS ship_to_city,
    "Order Country" AS ship_to_country,
    _file,
    _line,
    'order-' || "Order Id" AS _correlation
FROM priced
LEFT JOIN items USING ("Order Id")
WHERE line_no = 1
ORDER BY _file, _line
