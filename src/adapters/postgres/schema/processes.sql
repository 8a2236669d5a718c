-- What processes could not carry out, written in the transaction that moves their checkpoints.
CREATE SCHEMA IF NOT EXISTS processes;

CREATE TABLE IF NOT EXISTS processes.cases (
    process   text COLLATE "C" NOT NULL,
    event_id  text COLLATE "C" NOT NULL,
    position  bigint NOT NULL,
    status    text NOT NULL CHECK (status IN ('waiting', 'parked')),
    stream_id text COLLATE "C" NOT NULL,
    code      text NOT NULL,
    detail    text NOT NULL,
    attempts  integer NOT NULL CHECK (attempts > 0),
    noted_at  timestamptz NOT NULL,
    due_at    timestamptz,
    PRIMARY KEY (process, event_id)
);
COMMENT ON TABLE processes.cases IS
    'One row per event that a process could not carry out: waiting for a stream or a time, or parked by a refusal.';

CREATE INDEX IF NOT EXISTS cases_order_idx ON processes.cases (process, status, position);
