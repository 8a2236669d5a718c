-- comment: One row per minute of the day (UTC).
-- key: time_key
-- column time_key: minutes since midnight, from 0 to 1439
-- column time: the minute as hh:mm
-- column hour: hour, from 0 to 23
-- column minute: minute of the hour, from 0 to 59
-- column hour_span: the hour as 14:00-14:59
-- column day_part: night (from 0:00), morning (from 6:00), afternoon (from 12:00) or evening (from 18:00)
SELECT
    minutes AS time_key,
    to_char(time '00:00' + make_interval(mins => minutes), 'HH24:MI') AS time,
    minutes / 60 AS hour,
    minutes % 60 AS minute,
    to_char(minutes / 60, 'FM00') || ':00-' || to_char(minutes / 60, 'FM00') || ':59' AS hour_span,
    (ARRAY['night', 'morning', 'afternoon', 'evening'])[minutes / 360 + 1] AS day_part
FROM generate_series(0, 1439) AS minutes
