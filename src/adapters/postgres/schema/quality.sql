-- What the checks of the data found, run by run.
CREATE SCHEMA IF NOT EXISTS quality;

CREATE TABLE IF NOT EXISTS quality.runs (
    run_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checked_at timestamptz NOT NULL DEFAULT now(),
    position   bigint NOT NULL
);
COMMENT ON TABLE quality.runs IS 'One row per run of the checks, with the position of the read models then.';

CREATE TABLE IF NOT EXISTS quality.results (
    run_id      bigint NOT NULL REFERENCES quality.runs ON DELETE CASCADE,
    name        text NOT NULL,
    kind        text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('warn', 'error')),
    description text NOT NULL,
    offending   bigint NOT NULL,
    keys        text[] NOT NULL,
    PRIMARY KEY (run_id, name)
);
COMMENT ON TABLE quality.results IS 'One row per check and run, of earlier runs only where it failed: how many rows offended, and the keys of the first of them.';
