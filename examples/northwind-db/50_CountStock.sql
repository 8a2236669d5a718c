-- The dump's stock is that of its last day; a later change counts as found when it was read.
SELECT
    product_id,
    'main' AS location_id,
    DATE '1998-05-06' AS occurred_at,
    units_in_stock AS counted,
    _file
FROM products
