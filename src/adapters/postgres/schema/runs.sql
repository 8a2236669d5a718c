-- Business days that were run, and what was reported of them.
CREATE SCHEMA IF NOT EXISTS runs;

CREATE TABLE IF NOT EXISTS runs.days (
    day      date PRIMARY KEY,
    position bigint NOT NULL,
    fixed_at timestamptz NOT NULL DEFAULT now(),
    known    jsonb NOT NULL,
    checked  jsonb,
    digests  jsonb
);
COMMENT ON TABLE runs.days IS
    'One row per business day: the position of the log that its figures are made up to, fixed by its first run, what was known of messages then, what its checks found, and the digests of gold.';

CREATE TABLE IF NOT EXISTS runs.reports (
    day      date PRIMARY KEY REFERENCES runs.days ON DELETE CASCADE,
    kept_at  timestamptz NOT NULL DEFAULT now(),
    document text NOT NULL
);
COMMENT ON TABLE runs.reports IS 'The report of a business day, with every figure in it; pages are made of it.';
