-- What was proved about the read models, when, and by which code.
CREATE SCHEMA IF NOT EXISTS replay;

CREATE TABLE IF NOT EXISTS replay.certificates (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose      text NOT NULL CHECK (purpose IN ('rebuild', 'verify', 'sample')),
    position     bigint NOT NULL,
    equal        boolean NOT NULL,
    swapped      boolean NOT NULL DEFAULT false,
    code_version text NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL,
    report       jsonb NOT NULL
);
COMMENT ON TABLE replay.certificates IS
    'One row per comparison of the read models with the log: the tables, and of those that differ the first rows with their events. A swap without equality is a change that was accepted.';
