-- comment: One row per version of a carrier (type 2), and the unknown carrier with the key 0.
-- key: carrier_key
-- scope: carrier_id
-- touched by carriers: SELECT carrier_id FROM carrier_versions WHERE stream_id = ANY(%(ids)s) UNION SELECT ''
-- index: carrier_id
SELECT
    carrier_key,
    carrier_id,
    version,
    name,
    mode,
    retired,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM carrier_versions
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
