-- comment: One row per event of a shipment (transaction), with what it said and the status after it; keys of carrier and location are those of fact_shipment.
-- key: stream_id, version
-- materialized: no
-- column stream_id: the shipment's stream
-- column version: the event's version in it
-- column shipment_id: the shipment
-- column order_id: the order whose lines it carries
-- column carrier_key: version of the carrier when the shipment was planned
-- column location_key: version of the location of origin when the shipment was planned
-- column date_key: day of the event (UTC)
-- column time_key: minute of the day of the event
-- column occurred_at: when it happened
-- column kind: planned, dispatched, located, eta_revised, delayed, exception_raised, exception_resolved, delivery_attempted, delivered, returned, voided, route_measured or weather_observed
-- column status: the shipment's status after the event
-- column units?: units planned or delivered
-- column eta?: the time of arrival that was expected from then on
-- column delay_minutes?: minutes of delay that the carrier reported
-- column latitude?: where it was seen, degrees north
-- column longitude?: where it was seen, degrees east
-- column detail?: place, reason, kind or resolution of an exception, or who measured
-- column first_position: position of the event
-- column last_position: position of the event
SELECT
    e.stream_id,
    e.version,
    s.shipment_id,
    s.order_id,
    s.carrier_key,
    s.location_key,
    to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS date_key,
    (date_part('hour', e.occurred_at AT TIME ZONE 'UTC') * 60 + date_part('minute', e.occurred_at AT TIME ZONE 'UTC'))::integer AS time_key,
    e.occurred_at,
    e.kind,
    e.status,
    e.units,
    e.eta,
    e.delay_minutes,
    e.latitude,
    e.longitude,
    e.detail,
    e.first_position,
    e.last_position
FROM shipment_events e
JOIN fact_shipment s ON s.stream_id = e.stream_id
