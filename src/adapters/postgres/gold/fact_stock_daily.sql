-- comment: One row per product, location and day: levels at the end of the day (UTC), units shipped and minutes without stock on it, from the first movement to the last day on which anything moved anywhere (periodic snapshot; levels are semi-additive: they add up across stocks, never across days).
-- key: stream_id, date_key
-- scope: stream_id
-- touched by stock: SELECT unnest(%(ids)s::text[])
-- since stock: date_key SELECT stream_id, coalesce(to_char(min(changed_on), 'YYYYMMDD')::integer, 99991231) FROM unnest(%(ids)s::text[]) AS stream_id LEFT JOIN (SELECT stream_id, moved_on AS changed_on FROM stock_movements WHERE first_position >= %(first)s UNION ALL SELECT stream_id, (set_at AT TIME ZONE 'UTC')::date FROM reorder_points WHERE first_position >= %(first)s) AS changed USING (stream_id) GROUP BY stream_id
-- touched by products: SELECT stream_id FROM stock WHERE product_id IN (SELECT product_id FROM product_versions WHERE stream_id = ANY(%(ids)s))
-- touched by locations: SELECT stream_id FROM stock WHERE location_id IN (SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s))
-- grows by: date_key
-- grows to: SELECT to_char(max(last_moved_on), 'YYYYMMDD')::integer FROM stock
-- index: date_key including product_key, location_key, on_hand, available, reorder_point, stock_value, shipped, unit_value, minutes_out_of_stock
-- index: product_key including date_key, on_hand, available, reorder_point, stock_value, shipped, unit_value, minutes_out_of_stock
-- index: location_key including date_key, location_id, on_hand, available, reorder_point, stock_value, shipped, unit_value, minutes_out_of_stock
-- references dim_date: date_key
-- references dim_product: product_key
-- references dim_location: location_key
-- check: available = on_hand - reserved - quarantined
-- check: minutes_out_of_stock BETWEEN 0 AND 1440
-- column stream_id: the stock's stream
-- column date_key: the day (UTC)
-- column product_key: version of the product at the end of the day
-- column location_key: version of the location at the end of the day
-- column product_id: the product
-- column location_id: where
-- column on_hand: units there at the end of the day; semi-additive, as are all levels and the value
-- column reserved: units of them set aside for orders
-- column quarantined: units of them blocked
-- column available: units of them that nothing holds
-- column shipped: units shipped on the day; additive
-- column minutes_out_of_stock: minutes of the day, from the first movement ever on, in which no unit was available; additive
-- column reorder_point?: level at which to order again, as it was set by the end of the day
-- column unit_value?: what a unit costs, or its price where no cost is known
-- column stock_value?: units on hand times unit value; semi-additive
-- column first_position: position of the first movement of the last day, up to this one, on which the stock moved
-- column last_position: position of the last movement of that day
-- Levels are reckoned back from those that stand now, so that a refresh reads only what moved since the day that the
-- setting dataflow.since names (YYYYMMDD; none for all days) and on the last day before.
WITH moved AS (
    SELECT
        s.stream_id,
        m.moved_on,
        m.moved_at,
        m.delta_on_hand,
        m.delta_reserved,
        m.delta_quarantined,
        m.first_position,
        CASE WHEN m.kind = 'shipped' THEN -m.delta_on_hand ELSE 0 END AS shipped,
        s.on_hand - s.reserved - s.quarantined + m.delta_on_hand - m.delta_reserved - m.delta_quarantined
            - sum(m.delta_on_hand - m.delta_reserved - m.delta_quarantined) OVER later AS available,
        least(lag(m.moved_at) OVER later, (m.moved_on + 1)::timestamp AT TIME ZONE 'UTC') AS until
    FROM stock s
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (
                SELECT b.moved_on::timestamp AT TIME ZONE 'UTC'
                FROM stock_movements b
                WHERE b.stream_id = s.stream_id
                    AND b.moved_at < to_date(nullif(current_setting('dataflow.since', true), ''), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'
                ORDER BY b.moved_at DESC
                LIMIT 1
            ),
            '-infinity'
        ) AS start
        OFFSET 0
    ) AS since
    -- OFFSET 0 keeps both queries as they stand: once for each stock, and by the index. Its order backwards is that of
    -- the days and of all that is reckoned back below, so that nothing has to be sorted that is not in order already.
    CROSS JOIN LATERAL (
        SELECT * FROM stock_movements WHERE stream_id = s.stream_id AND moved_at >= since.start
        ORDER BY moved_at DESC, version DESC OFFSET 0
    ) AS m
    WINDOW later AS (PARTITION BY s.stream_id ORDER BY m.moved_on DESC, m.moved_at DESC, m.version DESC)
),
days AS (
    SELECT
        stream_id,
        moved_on,
        sum(delta_on_hand) AS on_hand,
        sum(delta_reserved) AS reserved,
        sum(delta_quarantined) AS quarantined,
        sum(shipped)::bigint AS shipped,
        min(moved_at) AS first_moved_at,
        coalesce(sum(until - moved_at) FILTER (WHERE available <= 0), interval '0') AS out_of_stock,
        min(first_position) AS first_position,
        max(first_position) AS last_position
    FROM moved
    GROUP BY stream_id, moved_on
    ORDER BY stream_id, moved_on DESC
),
-- The closing levels of a day hold until the stock moves again.
closing AS (
    SELECT
        d.stream_id,
        s.product_id,
        s.location_id,
        s.reorder_point,
        s.reorder_set_at,
        d.moved_on,
        lag(d.moved_on) OVER later AS next_moved_on,
        lead(d.moved_on) OVER later IS NOT NULL AS moved_before,
        (s.on_hand + d.on_hand - sum(d.on_hand) OVER later)::bigint AS on_hand,
        (s.reserved + d.reserved - sum(d.reserved) OVER later)::bigint AS reserved,
        (s.quarantined + d.quarantined - sum(d.quarantined) OVER later)::bigint AS quarantined,
        (d.on_hand - d.reserved - d.quarantined)::bigint AS became_available,
        d.shipped,
        d.first_moved_at,
        d.out_of_stock,
        d.first_position,
        d.last_position
    FROM days d
    JOIN stock s ON s.stream_id = d.stream_id
    WINDOW later AS (PARTITION BY d.stream_id ORDER BY d.moved_on DESC)
)
SELECT
    c.stream_id,
    to_char(day, 'YYYYMMDD')::integer AS date_key,
    coalesce(p.product_key, member_key('product-' || c.product_id)) AS product_key,
    coalesce(lo.location_key, member_key('location-' || c.location_id)) AS location_key,
    c.product_id,
    c.location_id,
    c.on_hand,
    c.reserved,
    c.quarantined,
    c.on_hand - c.reserved - c.quarantined AS available,
    CASE WHEN day::date = c.moved_on THEN c.shipped ELSE 0 END AS shipped,
    -- On a day of movements: what they left, and the time before the first of them.
    CASE
        WHEN day::date > c.moved_on THEN CASE WHEN c.on_hand <= c.reserved + c.quarantined THEN 1440 ELSE 0 END
        ELSE date_part('epoch', c.out_of_stock + CASE
            WHEN c.moved_before AND c.on_hand - c.reserved - c.quarantined - c.became_available <= 0
                THEN c.first_moved_at AT TIME ZONE 'UTC' - day
            ELSE interval '0'
        END) / 60
    END AS minutes_out_of_stock,
    -- The last one that was set is mostly an early one; only for days before it is there something to look up.
    CASE
        WHEN c.reorder_set_at < (day + interval '1 day') AT TIME ZONE 'UTC' THEN c.reorder_point
        WHEN c.reorder_set_at IS NOT NULL THEN (
            SELECT r.reorder_point
            FROM reorder_points r
            WHERE r.stream_id = c.stream_id AND r.set_at < (day + interval '1 day') AT TIME ZONE 'UTC'
            ORDER BY r.set_at DESC, r.version DESC
            LIMIT 1
        )
    END AS reorder_point,
    coalesce(p.unit_cost, p.unit_price) AS unit_value,
    c.on_hand * coalesce(p.unit_cost, p.unit_price) AS stock_value,
    c.first_position,
    c.last_position
FROM closing c
CROSS JOIN LATERAL generate_series(
    greatest(c.moved_on, to_date(nullif(current_setting('dataflow.since', true), ''), 'YYYYMMDD'))::timestamp,
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
