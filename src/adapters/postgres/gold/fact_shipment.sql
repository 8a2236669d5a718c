-- comment: One row per shipment as it stands now (accumulating snapshot); keys are those valid when it was planned.
-- key: stream_id
-- scope: stream_id
-- touched by shipments: SELECT unnest(%(ids)s::text[])
-- touched by carriers: SELECT stream_id FROM shipments WHERE carrier_id IN (SELECT carrier_id FROM carrier_versions WHERE stream_id = ANY(%(ids)s))
-- touched by locations: SELECT stream_id FROM shipments WHERE origin_location_id IN (SELECT location_id FROM location_versions WHERE stream_id = ANY(%(ids)s))
SELECT
    s.stream_id,
    s.shipment_id,
    s.order_id,
    coalesce(ca.carrier_key, 0) AS carrier_key,
    coalesce(lo.location_key, 0) AS location_key,
    s.carrier_id,
    s.origin_location_id AS location_id,
    s.destination_city,
    s.destination_country,
    s.destination_latitude,
    s.destination_longitude,
    s.status,
    to_char(s.planned_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS planned_date_key,
    to_char(s.planned_dispatch_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS planned_dispatch_date_key,
    to_char(s.planned_delivery_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS planned_delivery_date_key,
    to_char(s.dispatched_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS dispatched_date_key,
    to_char(s.delivered_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS delivered_date_key,
    s.planned_at,
    s.planned_dispatch_at,
    s.planned_delivery_at,
    s.dispatched_at,
    s.first_eta,
    s.eta,
    s.delivered_at,
    s.returned_at,
    s.voided_at,
    s.end_reason,
    s.line_count,
    s.units,
    s.units_delivered,
    s.last_seen_at,
    s.last_latitude,
    s.last_longitude,
    s.last_place,
    s.delay_minutes,
    s.delay_reason,
    s.exceptions,
    s.open_exceptions,
    s.attempts,
    s.distance_km,
    s.duration_minutes,
    s.route_provider,
    s.weather_provider,
    s.temperature_c,
    s.precipitation_mm,
    s.wind_speed_kmh,
    s.weather_code,
    s.first_position,
    s.last_position
FROM shipments s
LEFT JOIN carrier_versions ca
    ON ca.carrier_id = s.carrier_id
    AND ca.valid_from <= s.planned_at AND (ca.valid_to IS NULL OR s.planned_at < ca.valid_to)
LEFT JOIN location_versions lo
    ON lo.location_id = s.origin_location_id
    AND lo.valid_from <= s.planned_at AND (lo.valid_to IS NULL OR s.planned_at < lo.valid_to)
