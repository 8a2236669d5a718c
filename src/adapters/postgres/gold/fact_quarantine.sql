-- comment: One row per message in quarantine (accumulating: received, then settled), from bronze as it is now: messages that were refused are not part of the log, so this one is a view outside of rebuild and certificate.
-- key: quarantine_id
-- materialized: no
-- column quarantine_id: number of the quarantined message
-- column topic: the topic it came on
-- column partition: the partition it came on
-- column offset: its offset there
-- column source: where it came from
-- column message_id?: its id, as far as it could be read
-- column stream_id?: the stream that it addresses, as far as it could be read
-- column received_date_key: day on which it was received (UTC)
-- column received_time_key: minute of the day in which it was received
-- column settled_date_key?: day on which it was settled
-- column received_at: when it was received
-- column settled_at?: when it was retried with success, or discarded
-- column code: name of the refusal
-- column detail: the refusal in a sentence
-- column status: open, retried or discarded
-- column actor?: who settled it
-- column note?: why it was discarded
-- column minutes_open?: minutes from received to settled
SELECT
    q.quarantine_id,
    q.topic,
    q.partition,
    q.offset,
    q.source,
    m.message_id,
    m.stream_id,
    to_char(m.received_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS received_date_key,
    (date_part('hour', m.received_at AT TIME ZONE 'UTC') * 60 + date_part('minute', m.received_at AT TIME ZONE 'UTC'))::integer AS received_time_key,
    to_char(q.settled_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer AS settled_date_key,
    m.received_at,
    q.settled_at,
    q.code,
    q.detail,
    q.status,
    q.actor,
    q.note,
    date_part('epoch', q.settled_at - m.received_at) / 60 AS minutes_open
FROM bronze.quarantine q
JOIN bronze.messages m USING (topic, partition, "offset")
