-- The logs that messages were taken in from, one after the other: positions count in the last one.
CREATE TABLE IF NOT EXISTS bronze.logs (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   text NOT NULL,
    starts jsonb NOT NULL DEFAULT '{}',
    since  timestamptz NOT NULL DEFAULT now()
);
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'bronze.logs'::regclass AND attname = 'topics') THEN
        ALTER TABLE bronze.logs ADD COLUMN topics jsonb NOT NULL DEFAULT '{}';
    END IF;
END
$$;
COMMENT ON COLUMN bronze.logs.topics IS
    'The ids of its topics, by name: one that was deleted and created anew has another.';
COMMENT ON COLUMN bronze.logs.starts IS
    'Where each partition ended in the log before, by topic/number: offsets of this log are counted on from there.';

CREATE TABLE IF NOT EXISTS bronze.leader_epochs (
    topic_id     text COLLATE "C" NOT NULL,
    partition    integer NOT NULL,
    epoch        integer NOT NULL,
    first_offset bigint NOT NULL,
    PRIMARY KEY (topic_id, partition, epoch)
);
COMMENT ON TABLE bronze.leader_epochs IS
    'Where the messages of each leader of a partition begin, by the offsets that the brokers count.';
