WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY "Order Id" ORDER BY "Order Item Id") AS line_no
    FROM lines
    WHERE "Delivery Status" <> 'Shipping canceled'
),
items AS (
    SELECT
        "Order Id",
        list(
            {line_no: line_no, product_id: "Product Card Id", quantity: "Order Item Quantity"} ORDER BY line_no
        ) AS lines
    FROM numbered
    GROUP BY "Order Id"
)

SELECT
    "Order Id" AS shipment_id,
    "order date (DateOrders)" AS occurred_at,
    "Order Id" AS order_id,
    items.lines,
    lower(replace("Shipping Mode", ' ', '-')) AS carrier_id,
    "Order City" AS destination_city,
    "Order Country" AS destination_country,
    "order date (DateOrders)" + to_days("Days for shipment (scheduled)") AS planned_dispatch_at,
    _file,
    _line,
    'order-' || "Order Id" AS _correlation
FROM numbered
LEFT JOIN items USING ("Order Id")
WHERE line_no = 1
ORDER BY _file, _line
