-- comment: One row per version of a product (type 2), one per product that facts speak of before the catalog does (inferred), and the unknown product with the key 0.
-- key: product_key
-- scope: product_id
-- touched by products: SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s)
-- touched by orders: SELECT product_id FROM order_lines f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_product d WHERE d.product_id = f.product_id)
-- touched by shipments: SELECT product_id FROM shipment_lines f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_product d WHERE d.product_id = f.product_id)
-- touched by stock: SELECT product_id FROM stock f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_product d WHERE d.product_id = f.product_id)
-- column product_key: key of the version; that of the first version is the inferred member's
-- column product_id: the product; empty for the unknown one
-- column version: version in the entry's stream; 0 where the catalog says nothing
-- column name: what it is called
-- column category?: its category
-- column supplier_id?: who supplies it
-- column unit_price?: list price
-- column unit_cost?: what a unit costs
-- column currency?: ISO 4217 code of price and cost
-- column retired: whether it is no longer used
-- column inferred: whether only facts speak of it; the catalog's first event completes the row
-- column valid_from: from when the version holds
-- column valid_to?: until before when the version holds; null for the current one
-- column is_current: whether it is the last version
-- column first_position: position of the event that made the version; 0 without one
-- column last_position: position of the last event that changed the row; 0 without one
-- check: (valid_from <= valid_to) IS NOT FALSE
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
    false AS inferred,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM product_versions
UNION ALL
SELECT
    member_key('product-' || product_id), product_id, 0, product_id, NULL, NULL, NULL, NULL, NULL,
    false, true, '1900-01-01 00:00:00+00', NULL, true, 0, 0
FROM (
    SELECT product_id AS product_id FROM order_lines
    UNION
    SELECT product_id FROM shipment_lines
    UNION
    SELECT product_id FROM stock
) AS spoken_of
WHERE NOT EXISTS (SELECT FROM product_versions v WHERE v.product_id = spoken_of.product_id)
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
