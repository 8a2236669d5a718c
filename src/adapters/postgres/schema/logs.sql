-- The logs that messages were taken in from, one after the other: positions count in the last one.
CREATE TABLE IF NOT EXISTS bronze.logs (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   text NOT NULL,
    starts jsonb NOT NULL DEFAULT '{}',
    since  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN bronze.logs.starts IS
    'Where each partition ended in the log before, by topic/number: offsets of this log are counted on from there.';
