-- comment: One row per version of a supplier (type 2), and the unknown supplier with the key 0.
-- key: supplier_key
-- scope: supplier_id
-- touched by suppliers: SELECT supplier_id FROM supplier_versions WHERE stream_id = ANY(%(ids)s) UNION SELECT ''
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
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM supplier_versions
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
