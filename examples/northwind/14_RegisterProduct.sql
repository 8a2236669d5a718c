-- Prices carry the noise of 32-bit floats (9.80000019): they are cents.
SELECT
    product_id::VARCHAR AS product_id,
    DATE '1996-07-01' AS occurred_at,
    product_name AS name,
    category_name AS category,
    supplier_id,
    round(unit_price, 2)::DECIMAL(18, 2) AS unit_price,
    products._file,
    products._line
FROM products
LEFT JOIN categories USING (category_id)
ORDER BY products._line
