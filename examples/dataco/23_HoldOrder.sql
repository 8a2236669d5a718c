-- Orders that stand on hold, or whose payment is under review, were shipped before.
SELECT
    "Order Id" AS order_id,
    "shipping date (DateOrders)" AS occurred_at,
    lower(replace("Order Status", '_', ' ')) AS reason,
    _file,
    _line,
    'order-' || "Order Id" AS _correlation
FROM lines
WHERE "Order Status" IN ('ON_HOLD', 'PAYMENT_REVIEW')
QUALIFY row_number() OVER (PARTITION BY "Order Id" ORDER BY "Order Item Id") = 1
ORDER BY _file, _line
