-- comment: One row per version of a location (type 2), one per location that facts speak of before the catalog does (inferred), and the unknown location with the key 0.
-- key: location_key
-- scope: location_id
-- touched by locations: SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s)
-- touched by orders: SELECT location_id FROM order_line_events f WHERE stream_id = ANY(%(ids)s) AND first_position >= %(first)s AND NOT EXISTS (SELECT FROM dim_location d WHERE d.location_id = f.location_id)
-- touched by shipments: SELECT origin_location_id FROM shipments f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_location d WHERE d.location_id = f.origin_location_id)
-- touched by stock: SELECT location_id FROM stock f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_location d WHERE d.location_id = f.location_id)
-- column location_key: key of the version; that of the first version is the inferred member's
-- column location_id: the location; empty for the unknown one
-- column version: version in the entry's stream; 0 where the catalog says nothing
-- column name: what it is called
-- column kind?: kind of place
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
-- index: location_id
SELECT
    location_key,
    location_id,
    version,
    name,
    kind,
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
FROM location_versions
UNION ALL
SELECT
    member_key('location-' || location_id), location_id, 0, location_id, NULL, NULL, NULL, NULL, NULL,
    false, true, '1900-01-01 00:00:00+00', NULL, true, 0, 0
FROM (
    SELECT location_id AS location_id FROM order_line_events WHERE location_id IS NOT NULL
    UNION
    SELECT origin_location_id FROM shipments WHERE origin_location_id IS NOT NULL
    UNION
    SELECT location_id FROM stock
) AS spoken_of
WHERE NOT EXISTS (SELECT FROM location_versions v WHERE v.location_id = spoken_of.location_id)
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
