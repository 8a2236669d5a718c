-- The ship date of a cancelled order is when it would have left. When it was cancelled is not known: at once, then.
SELECT
    "Order Id" AS order_id,
    "order date (DateOrders)" AS occurred_at,
    lower(replace("Order Status", '_', ' ')) AS reason,
    _file,
    _line,
    'order-' || "Order Id" AS _correlation
FROM lines
WHERE "Delivery Status" = 'Shipping canceled'
QUALIFY row_number() OVER (PARTITION BY "Order Id" ORDER BY "Order Item Id") = 1
ORDER BY _file, _line
