-- The products' stock is that of the export, so it counts as found on the day of the last order.
SELECT
    product_id::VARCHAR AS product_id,
    'main' AS location_id,
    (SELECT max(order_date) FROM orders) AS occurred_at,
    units_in_stock AS counted,
    _file,
    _line
FROM products
ORDER BY _line
