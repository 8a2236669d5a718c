-- Builds of the read models, and the shards in which each is loaded from the log.
CREATE SCHEMA IF NOT EXISTS replay;

CREATE TABLE IF NOT EXISTS replay.builds (
    name           text COLLATE "C" PRIMARY KEY,
    purpose        text NOT NULL CHECK (purpose IN ('rebuild', 'verify', 'as-of', 'kept', 'live', 'left')),
    position       bigint NOT NULL,
    recorded_until timestamptz,
    status         text NOT NULL DEFAULT 'loading' CHECK (status IN ('loading', 'ready')),
    code_version   text NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ready_at       timestamptz
);
COMMENT ON TABLE replay.builds IS
    'One row per build in schemas of its own (silver_<name>, gold_<name>), and the position up to which it is true; the build named live is in silver and gold, true up to the checkpoint.';

CREATE TABLE IF NOT EXISTS replay.shards (
    build        text COLLATE "C" NOT NULL REFERENCES replay.builds ON UPDATE CASCADE ON DELETE CASCADE,
    number       integer NOT NULL,
    first_stream text COLLATE "C" NOT NULL,
    end_stream   text COLLATE "C",
    events       bigint,
    seconds      double precision,
    peak_mb      double precision,
    done_at      timestamptz,
    error        text,
    PRIMARY KEY (build, number)
);
COMMENT ON TABLE replay.shards IS
    'The streams from first_stream (inclusive) to end_stream (exclusive), and what came of loading them.';

CREATE TABLE IF NOT EXISTS replay.steps (
    build text COLLATE "C" NOT NULL REFERENCES replay.builds ON UPDATE CASCADE ON DELETE CASCADE,
    stage integer NOT NULL,
    step  integer NOT NULL,
    PRIMARY KEY (build, stage, step)
);
COMMENT ON TABLE replay.steps IS 'What is done of a build after its shards: keys, indexes, gold tables, references.';

-- Only where it is missing: ALTER TABLE waits for whoever reads the table. One statement, for one transaction.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'replay.builds'::regclass AND attname = 'made') THEN
        ALTER TABLE replay.builds ADD COLUMN made text[];
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'replay.builds'::regclass AND attname = 'planned_as') THEN
        ALTER TABLE replay.builds ADD COLUMN planned_as text COLLATE "C";
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'replay.builds'::regclass AND attname = 'relations') THEN
        ALTER TABLE replay.builds ADD COLUMN relations oid[];
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'replay.builds'::regclass AND attname = 'schemas') THEN
        ALTER TABLE replay.builds ADD COLUMN schemas oid[], DROP CONSTRAINT builds_purpose_check,
            ADD CHECK (purpose IN ('rebuild', 'verify', 'as-of', 'kept', 'live', 'left'));
    END IF;
END
$$;
COMMENT ON COLUMN replay.builds.purpose IS
    'What the build is for; one that is left was kept until the last swap, and is dropped as soon as nobody reads it.';
COMMENT ON COLUMN replay.builds.schemas IS
    'The object ids of the schema replay and of those of the build, by which they are told from others of their names; null where its version did not note them. A database that was restored or upgraded has other ids: where the first is not that of replay, none counts.';
COMMENT ON COLUMN replay.builds.made IS
    'The tables and views that the build made, as silver.<name> and gold.<name>; null where its version did not note them.';
COMMENT ON COLUMN replay.builds.planned_as IS
    'The name under which a build that is or was live was made; null where it was made live, or its version did not note it.';
COMMENT ON COLUMN replay.builds.relations IS
    'The object ids of this table and of the tables and views of the build, from when it was complete or kept, by which they are told from others of their names. A database that was restored has other ids: where the first is not that of this table, none counts.';
