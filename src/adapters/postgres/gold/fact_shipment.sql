-- comment: One row per shipment as it stands now (accumulating snapshot); keys are those valid when it was planned.
-- key: stream_id
-- scope: stream_id
-- touched by shipments: SELECT unnest(%(ids)s::text[])
-- touched by products: SELECT l.stream_id FROM shipment_lines l JOIN product_versions v USING (product_id) JOIN shipments s ON s.stream_id = l.stream_id WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND s.planned_at >= v.valid_from AND (s.planned_at < v.valid_to) IS NOT FALSE
-- touched by carriers: SELECT s.stream_id FROM shipments s JOIN carrier_versions v USING (carrier_id) WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND s.planned_at >= v.valid_from AND (s.planned_at < v.valid_to) IS NOT FALSE
-- touched by locations: SELECT s.stream_id FROM shipments s JOIN location_versions v ON v.location_id = s.origin_location_id WHERE v.stream_id = ANY(%(ids)s) AND v.first_position >= %(first)s AND s.planned_at >= v.valid_from AND (s.planned_at < v.valid_to) IS NOT FALSE
-- Covering, so that a KPI with a filter on what the shipment itself is of reads an index instead of rows.
-- index: planned_date_key including order_id, carrier_id, location_id, destination_country, planned_delivery_at, dispatched_at, delivered_at, voided_at, exceptions, attempts, distance_km
-- gin index: product_keys
-- Those under way, among all there ever were.
-- index: planned_delivery_at where dispatched_at IS NOT NULL AND delivered_at IS NULL AND returned_at IS NULL
-- references dim_carrier: carrier_key
-- references dim_location: location_key
-- references dim_date: planned_date_key, planned_dispatch_date_key, planned_delivery_date_key, dispatched_date_key, delivered_date_key, returned_date_key, voided_date_key
-- references dim_time: dispatched_time_key, delivered_time_key
-- check: status IN ('planned', 'dispatched', 'in_transit', 'delivered', 'returned', 'voided')
-- check: units_delivered BETWEEN 0 AND units AND open_exceptions BETWEEN 0 AND exceptions
-- column stream_id: the shipment's stream
-- column shipment_id: the shipment
-- column order_id: the order whose lines it carries
-- column carrier_key: version of the carrier when the shipment was planned
-- column location_key: version of the location of origin when the shipment was planned
-- column carrier_id?: the carrier
-- column location_id?: the location that it leaves
-- column destination_city?: where to
-- column destination_country?: where to
-- column destination_latitude?: degrees north
-- column destination_longitude?: degrees east
-- column status: where the shipment stands
-- column planned_date_key: day on which it was planned (UTC, as all days here)
-- column planned_dispatch_date_key?: day on which it was to leave
-- column planned_delivery_date_key?: day on which it was to arrive
-- column dispatched_date_key?: day on which it left
-- column delivered_date_key?: day on which it arrived
-- column returned_date_key?: day on which it went back
-- column voided_date_key?: day on which it was called off
-- column dispatched_time_key?: minute of the day in which it left
-- column delivered_time_key?: minute of the day in which it arrived
-- column planned_at: when it was planned
-- column planned_dispatch_at?: when it was to leave
-- column planned_delivery_at?: when it was to arrive
-- column dispatched_at?: when it left
-- column first_eta?: the first time of arrival that was expected
-- column eta?: the time of arrival that was expected last
-- column delivered_at?: when it arrived
-- column returned_at?: when it went back
-- column voided_at?: when it was called off
-- column end_reason?: why it went back or was called off
-- column dispatch_delay_minutes?: minutes that it left after the plan; negative if before
-- column delivery_delay_minutes?: minutes that it arrived after the plan; negative if before
-- column minutes_after_first_eta?: minutes that it arrived after the first expected time; negative if before
-- column transit_minutes?: minutes from leaving to arriving
-- column line_count: lines that it carries
-- column units: units that it carries
-- column units_delivered: units that arrived
-- column last_seen_at?: when it was last seen
-- column last_latitude?: where it was last seen, degrees north
-- column last_longitude?: where it was last seen, degrees east
-- column last_place?: where it was last seen
-- column delay_minutes?: minutes of delay that the carrier reported last
-- column delay_reason?: the carrier's reason for it
-- column exceptions: how often something went wrong
-- column open_exceptions: of these, how many are not resolved
-- column attempts: deliveries that were tried and failed
-- column distance_km?: length of the route
-- column duration_minutes?: duration of the route as measured
-- column route_provider?: who measured the route
-- column weather_provider?: who reported the weather at dispatch
-- column temperature_c?: temperature at dispatch, in degrees Celsius
-- column precipitation_mm?: precipitation at dispatch, in mm
-- column wind_speed_kmh?: wind at dispatch, in km/h
-- column weather_code?: weather at dispatch as a code of the WMO (4677)
-- column product_keys: version of the product of each line that it carries when it was planned, so that shipments are found by what they carry
-- column first_position: position of the first event behind the row
-- column last_position: position of the last event behind the row
WITH lines AS (
    SELECT
        s.stream_id,
        array_agg(coalesce(p.product_key, member_key('product-' || l.product_id)) ORDER BY l.line_no) AS product_keys
    FROM shipments s
    JOIN shipment_lines l ON l.stream_id = s.stream_id
    LEFT JOIN product_versions p
        ON p.product_id = l.product_id
        AND p.valid_from <= s.planned_at AND (p.valid_to IS NULL OR s.planned_at < p.valid_to)
    GROUP BY s.stream_id
)
SELECT
    l.stream_id,
    s.shipment_id,
    s.order_id,
    coalesce(ca.carrier_key, member_key('carrier-' || s.carrier_id), 0) AS carrier_key,
    coalesce(lo.location_key, member_key('location-' || s.origin_location_id), 0) AS location_key,
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
    to_char(s.returned_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS returned_date_key,
    to_char(s.voided_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS voided_date_key,
    (date_part('hour', s.dispatched_at AT TIME ZONE 'UTC') * 60 + date_part('minute', s.dispatched_at AT TIME ZONE 'UTC'))::integer AS dispatched_time_key,
    (date_part('hour', s.delivered_at AT TIME ZONE 'UTC') * 60 + date_part('minute', s.delivered_at AT TIME ZONE 'UTC'))::integer AS delivered_time_key,
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
    (date_part('epoch', s.dispatched_at - s.planned_dispatch_at) / 60)::integer AS dispatch_delay_minutes,
    (date_part('epoch', s.delivered_at - s.planned_delivery_at) / 60)::integer AS delivery_delay_minutes,
    (date_part('epoch', s.delivered_at - s.first_eta) / 60)::integer AS minutes_after_first_eta,
    (date_part('epoch', s.delivered_at - s.dispatched_at) / 60)::integer AS transit_minutes,
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
    l.product_keys,
    s.first_position,
    s.last_position
FROM lines l
JOIN shipments s ON s.stream_id = l.stream_id
LEFT JOIN carrier_versions ca
    ON ca.carrier_id = s.carrier_id
    AND ca.valid_from <= s.planned_at AND (ca.valid_to IS NULL OR s.planned_at < ca.valid_to)
LEFT JOIN location_versions lo
    ON lo.location_id = s.origin_location_id
    AND lo.valid_from <= s.planned_at AND (lo.valid_to IS NULL OR s.planned_at < lo.valid_to)
