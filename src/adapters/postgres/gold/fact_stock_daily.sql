-- comment: One row per product, location and day: levels at the end of the day (UTC) and the units shipped on it, from the first movement to the last day on which anything moved anywhere (periodic snapshot; levels add up across stocks, never across days).
-- key: stream_id, date_key
-- scope: stream_id
-- touched by stock: SELECT unnest(%(ids)s::text[])
-- touched by products: SELECT stream_id FROM stock WHERE product_id IN (SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s))
-- touched by locations: SELECT stream_id FROM stock WHERE location_id IN (SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s))
-- grows by: date_key
-- grows to: SELECT to_char(max(last_moved_on), 'YYYYMMDD')::integer FROM stock
-- index: date_key
WITH moved AS (
    SELECT
        stream_id,
        product_id,
        location_id,
        moved_on,
        sum(delta_on_hand) AS on_hand,
        sum(delta_reserved) AS reserved,
        sum(delta_quarantined) AS quarantined,
        coalesce(sum(-delta_on_hand) FILTER (WHERE kind = 'shipped'), 0)::bigint AS shipped,
        min(first_position) AS first_position,
        max(last_position) AS last_position
    FROM stock_movements
    GROUP BY stream_id, product_id, location_id, moved_on
),
-- The closing levels of a day hold until the stock moves again.
closing AS (
    SELECT
        stream_id,
        product_id,
        location_id,
        moved_on,
        lead(moved_on) OVER stock_days AS next_moved_on,
        (sum(on_hand) OVER stock_days)::bigint AS on_hand,
        (sum(reserved) OVER stock_days)::bigint AS reserved,
        (sum(quarantined) OVER stock_days)::bigint AS quarantined,
        shipped,
        min(first_position) OVER stock_days AS first_position,
        max(last_position) OVER stock_days AS last_position
    FROM moved
    WINDOW stock_days AS (PARTITION BY stream_id ORDER BY moved_on)
)
SELECT
    c.stream_id,
    to_char(day, 'YYYYMMDD')::integer AS date_key,
    coalesce(p.product_key, 0) AS product_key,
    coalesce(lo.location_key, 0) AS location_key,
    c.product_id,
    c.location_id,
    c.on_hand,
    c.reserved,
    c.quarantined,
    c.on_hand - c.reserved - c.quarantined AS available,
    CASE WHEN day::date = c.moved_on THEN c.shipped ELSE 0 END AS shipped,
    s.reorder_point,
    coalesce(p.unit_cost, p.unit_price) AS unit_value,
    c.on_hand * coalesce(p.unit_cost, p.unit_price) AS stock_value,
    c.first_position,
    c.last_position
FROM closing c
JOIN stock s ON s.stream_id = c.stream_id
CROSS JOIN LATERAL generate_series(
    c.moved_on::timestamp,
    coalesce(c.next_moved_on - 1, (SELECT max(last_moved_on) FROM stock))::timestamp,
    interval '1 day'
) AS day
LEFT JOIN product_versions p
    ON p.product_id = c.product_id
    AND p.valid_from < (day + interval '1 day') AT TIME ZONE 'UTC'
    AND (p.valid_to IS NULL OR p.valid_to >= (day + interval '1 day') AT TIME ZONE 'UTC')
LEFT JOIN location_versions lo
    ON lo.location_id = c.location_id
    AND lo.valid_from < (day + interval '1 day') AT TIME ZONE 'UTC'
    AND (lo.valid_to IS NULL OR lo.valid_to >= (day + interval '1 day') AT TIME ZONE 'UTC')
