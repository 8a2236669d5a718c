-- comment: One row per version of a customer (type 2), and the unknown customer with the key 0.
-- key: customer_key
-- scope: customer_id
-- touched by customers: SELECT customer_id FROM customer_versions WHERE stream_id = ANY(%(ids)s) UNION SELECT ''
-- index: customer_id
SELECT
    customer_key,
    customer_id,
    version,
    name,
    segment,
    city,
    country,
    latitude,
    longitude,
    retired,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM customer_versions
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
