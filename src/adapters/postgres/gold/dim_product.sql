-- comment: One row per version of a product (type 2), and the unknown product with the key 0.
-- key: product_key
-- scope: product_id
-- touched by products: SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s) UNION SELECT ''
-- index: product_id
SELECT
    product_key,
    product_id,
    version,
    name,
    category,
    supplier_id,
    unit_price,
    unit_cost,
    currency,
    retired,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM product_versions
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
