-- Every order that was not cancelled left as a whole; its shipment is named after it.
WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY "Order Id" ORDER BY "Order Item Id") AS line_no
    FROM lines
    WHERE "Delivery Status" <> 'Shipping canceled'
),
items AS (
    SELECT "Order Id", list({line_no: line_no, quantity: "Order Item Quantity"} ORDER BY line_no) AS lines
    FROM numbered
    GROUP BY "Order Id"
)

SELECT
    "Order Id" AS order_id,
    "shipping date (DateOrders)" AS occurred_at,
    items.lines,
    "Order Id" AS shipment_id,
    lower(replace("Shipping Mode", ' ', '-')) AS carrier_id,
    _file,
    _line,
    'order-' || "Order Id" AS _correlation
FROM numbered
LEFT JOIN items USING ("Order Id")
WHERE line_no = 1
ORDER BY _file, _line
