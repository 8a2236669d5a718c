SELECT
    product_id,
    DATE '1996-07-01' AS occurred_at,
    product_name AS name,
    category_name AS category,
    supplier_id,
    round(unit_price, 2)::DECIMAL(18, 2) AS unit_price,
    products._file
FROM products
LEFT JOIN categories USING (category_id)
