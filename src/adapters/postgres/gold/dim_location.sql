-- comment: One row per version of a location (type 2), and the unknown location with the key 0.
-- key: location_key
-- scope: location_id
-- touched by locations: SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s) UNION SELECT ''
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
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM location_versions
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, NULL, NULL, NULL, NULL, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
