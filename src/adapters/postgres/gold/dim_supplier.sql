-- comment: One row per version of a supplier (type 2), one per supplier that facts speak of before the catalog does (inferred), and the unknown supplier with the key 0.
-- key: supplier_key
-- scope: supplier_id
-- touched by suppliers: SELECT supplier_id FROM supplier_versions WHERE stream_id = ANY(%(ids)s)
-- touched by products: SELECT supplier_id FROM product_versions f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_supplier d WHERE d.supplier_id = f.supplier_id)
-- touched by stock: SELECT supplier_id FROM stock_movements f WHERE stream_id = ANY(%(ids)s) AND first_position >= %(first)s AND NOT EXISTS (SELECT FROM dim_supplier d WHERE d.supplier_id = f.supplier_id)
-- column supplier_key: key of the version; that of the first version is the inferred member's
-- column supplier_id: the supplier; empty for the unknown one
-- column version: version in the entry's stream; 0 where the catalog says nothing
-- column name: what it is called
-- column city?: where it is
-- column country?: where it is
-- column latitude?: degrees north
-- column longitude?: degrees east
-- column lead_time_days?: days from order to receipt that were agreed
-- column retired: whether it is no longer used
-- column inferred: whether only facts speak of it; the catalog's first event completes the row
-- column valid_from: from when the version holds
-- column valid_to?: until before when the version holds; null for the current one
-- column is_current: whether it is the last version
-- column first_position: position of the event that made the version; 0 without one
-- column last_position: position of the last event that changed the row; 0 without one
-- check: (valid_from <= valid_to) IS NOT FALSE
-- index: supplier_id
SELECT
    supplier_key,
    supplier_id,
    version,
    name,
    city,
    country,
    latitude,
    longitude,
    lead_time_days,
    retired,
    false AS inferred,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM supplier_versions
UNION ALL
SELECT
    member_key('supplier-' || supplier_id), supplier_id, 0, supplier_id, NULL, NULL, NULL, NULL, NULL,
    false, true, '1900-01-01 00:00:00+00', NULL, true, 0, 0
FROM (
    SELECT supplier_id AS supplier_id FROM product_versions WHERE supplier_id IS NOT NULL
    UNION
    SELECT supplier_id FROM stock_movements WHERE supplier_id IS NOT NULL
) AS spoken_of
WHERE NOT EXISTS (SELECT FROM supplier_versions v WHERE v.supplier_id = spoken_of.supplier_id)
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
