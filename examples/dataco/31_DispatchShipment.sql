SELECT
    "Order Id" AS shipment_id,
    "shipping date (DateOrders)" AS occurred_at,
    _file,
    _line,
    'order-' || "Order Id" AS _correlation
FROM lines
WHERE "Delivery Status" <> 'Shipping canceled'
QUALIFY row_number() OVER (PARTITION BY "Order Id" ORDER BY "Order Item Id") = 1
ORDER BY _file, _line
