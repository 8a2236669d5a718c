SELECT
    product_id,
    'main' AS location_id,
    DATE '1996-07-01' AS occurred_at,
    reorder_level AS reorder_point,
    _file
FROM products
