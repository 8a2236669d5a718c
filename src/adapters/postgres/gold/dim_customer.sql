-- comment: One row per version of a customer (type 2), one per customer that facts speak of before the catalog does (inferred), and the unknown customer with the key 0.
-- key: customer_key
-- scope: customer_id
-- touched by customers: SELECT customer_id FROM customer_versions WHERE stream_id = ANY(%(ids)s)
-- touched by orders: SELECT customer_id FROM order_lines f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_customer d WHERE d.customer_id = f.customer_id)
-- column customer_key: key of the version; that of the first version is the inferred member's
-- column customer_id: the customer; empty for the unknown one
-- column version: version in the entry's stream; 0 where the catalog says nothing
-- column name: what it is called
-- column segment?: kind of customer
-- column city?: where it is
-- column country?: where it is
-- column latitude?: degrees north
-- column longitude?: degrees east
-- column retired: whether it is no longer used
-- column inferred: whether only facts speak of it; the catalog's first event completes the row
-- column valid_from: from when the version holds
-- column valid_to?: until before when the version holds; null for the current one
-- column is_current: whether it is the last version
-- column first_position: position of the event that made the version; 0 without one
-- column last_position: position of the last event that changed the row; 0 without one
-- check: (valid_from <= valid_to) IS NOT FALSE
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
    false AS inferred,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM customer_versions
UNION ALL
SELECT
    member_key('customer-' || customer_id), customer_id, 0, customer_id, NULL, NULL, NULL, NULL, NULL,
    false, true, '1900-01-01 00:00:00+00', NULL, true, 0, 0
FROM (
    SELECT DISTINCT customer_id FROM orders
) AS spoken_of
WHERE NOT EXISTS (SELECT FROM customer_versions v WHERE v.customer_id = spoken_of.customer_id)
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
