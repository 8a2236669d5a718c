-- What counts as late and as in full: settings, not a function of the log, so no rebuild touches them.
CREATE SCHEMA IF NOT EXISTS policies;

CREATE TABLE IF NOT EXISTS policies.kpi_policy (
    name       text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z0-9_-]*$'),
    version    integer NOT NULL CHECK (version > 0),
    due        text NOT NULL CHECK (due IN ('requested', 'promised', 'original')),
    basis      text NOT NULL CHECK (basis IN ('shipped', 'delivered')),
    unit       text NOT NULL CHECK (unit IN ('day', 'hour')),
    tolerance  integer NOT NULL CHECK (tolerance >= 0),
    grain      text NOT NULL CHECK (grain IN ('order', 'line')),
    in_full    numeric NOT NULL CHECK (in_full > 0 AND in_full <= 1),
    cancelled  text NOT NULL CHECK (cancelled IN ('missing', 'excused')),
    note       text NOT NULL,
    actor      text NOT NULL,
    valid_from timestamptz,
    PRIMARY KEY (name, version)
);
COMMENT ON TABLE policies.kpi_policy IS
    'Every version of every policy, never changed; a version holds from valid_from (null: always) to the next one''s.';

INSERT INTO policies.kpi_policy
    (name, version, due, basis, unit, tolerance, grain, in_full, cancelled, note, actor)
VALUES
    ('default', 1, 'requested', 'shipped', 'day', 0, 'order', 1, 'missing',
     'late is what was shipped on a day after the requested date', 'dataflow')
ON CONFLICT DO NOTHING;
