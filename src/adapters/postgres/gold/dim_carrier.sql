-- comment: One row per version of a carrier (type 2), one per carrier that facts speak of before the catalog does (inferred), and the unknown carrier with the key 0.
-- key: carrier_key
-- scope: carrier_id
-- touched by carriers: SELECT carrier_id FROM carrier_versions WHERE stream_id = ANY(%(ids)s)
-- touched by orders: SELECT carrier_id FROM order_lines f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_carrier d WHERE d.carrier_id = f.carrier_id) UNION SELECT carrier_id FROM order_line_events f WHERE stream_id = ANY(%(ids)s) AND first_position >= %(first)s AND NOT EXISTS (SELECT FROM dim_carrier d WHERE d.carrier_id = f.carrier_id)
-- touched by shipments: SELECT carrier_id FROM shipments f WHERE stream_id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM dim_carrier d WHERE d.carrier_id = f.carrier_id)
-- column carrier_key: key of the version; that of the first version is the inferred member's
-- column carrier_id: the carrier; empty for the unknown one
-- column version: version in the entry's stream; 0 where the catalog says nothing
-- column name: what it is called
-- column mode?: road, rail, air or sea
-- column retired: whether it is no longer used
-- column inferred: whether only facts speak of it; the catalog's first event completes the row
-- column valid_from: from when the version holds
-- column valid_to?: until before when the version holds; null for the current one
-- column is_current: whether it is the last version
-- column first_position: position of the event that made the version; 0 without one
-- column last_position: position of the last event that changed the row; 0 without one
-- check: (valid_from <= valid_to) IS NOT FALSE
-- index: carrier_id
SELECT
    carrier_key,
    carrier_id,
    version,
    name,
    mode,
    retired,
    false AS inferred,
    valid_from,
    valid_to,
    is_current,
    first_position,
    last_position
FROM carrier_versions
UNION ALL
SELECT
    member_key('carrier-' || carrier_id), carrier_id, 0, carrier_id, NULL,
    false, true, '1900-01-01 00:00:00+00', NULL, true, 0, 0
FROM (
    SELECT carrier_id AS carrier_id FROM order_lines WHERE carrier_id IS NOT NULL
    UNION
    SELECT carrier_id FROM order_line_events WHERE carrier_id IS NOT NULL
    UNION
    SELECT carrier_id FROM shipments WHERE carrier_id IS NOT NULL
) AS spoken_of
WHERE NOT EXISTS (SELECT FROM carrier_versions v WHERE v.carrier_id = spoken_of.carrier_id)
UNION ALL
SELECT 0, '', 0, 'unknown', NULL, false, false, '1900-01-01 00:00:00+00', NULL, true, 0, 0
