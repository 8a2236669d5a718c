-- What is known of other systems' rows and topics, and the messages that are due because of them.
CREATE SCHEMA IF NOT EXISTS sources;

CREATE TABLE IF NOT EXISTS sources.state (
    source text COLLATE "C" PRIMARY KEY,
    sent   bigint NOT NULL DEFAULT 0,
    begun  boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE sources.state IS 'The number of messages made for a source, and whether all of it was settled once.';

CREATE TABLE IF NOT EXISTS sources.rows (
    source     text COLLATE "C" NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    root       text COLLATE "C" NOT NULL,
    grp        text COLLATE "C" NOT NULL,
    version    text,
    position   bigint,
    content    bytea,
    PRIMARY KEY (source, table_name, key)
);
COMMENT ON TABLE sources.rows IS 'Rows of a source as its messages were last made from them; content is null where a row is gone.';

CREATE INDEX IF NOT EXISTS rows_group_idx ON sources.rows (source, root, grp);

CREATE TABLE IF NOT EXISTS sources.changes (
    source     text COLLATE "C" NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    root       text COLLATE "C" NOT NULL,
    grp        text COLLATE "C" NOT NULL,
    version    text,
    position   bigint,
    content    bytea,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (source, table_name, key)
);
COMMENT ON TABLE sources.changes IS 'Rows that were read and differ from sources.rows, until messages are made from them.';

CREATE INDEX IF NOT EXISTS changes_group_idx ON sources.changes (source, root, grp);

CREATE TABLE IF NOT EXISTS sources.touched (
    source  text COLLATE "C" NOT NULL,
    root    text COLLATE "C" NOT NULL,
    grp     text COLLATE "C" NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (source, root, grp)
);
COMMENT ON TABLE sources.touched IS 'Groups of rows (an order and its lines) from which messages are to be made.';

CREATE TABLE IF NOT EXISTS sources.marks (
    source     text COLLATE "C" NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    mark       text NOT NULL,
    PRIMARY KEY (source, table_name)
);
COMMENT ON TABLE sources.marks IS 'How far a table was read, moved in the transaction that keeps what was read.';

CREATE TABLE IF NOT EXISTS sources.positions (
    source      text COLLATE "C" NOT NULL,
    topic       text COLLATE "C" NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (source, topic, partition)
);
COMMENT ON TABLE sources.positions IS 'How far a topic was read, moved in the transaction that keeps what was read.';

CREATE TABLE IF NOT EXISTS sources.topics (
    source text COLLATE "C" NOT NULL,
    topic  text COLLATE "C" NOT NULL,
    id     text NOT NULL,
    starts jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (source, topic)
);
COMMENT ON TABLE sources.topics IS
    'The id of each topic that is read, and where its partitions ended in the one of that name before.';

CREATE TABLE IF NOT EXISTS sources.outbox (
    source  text COLLATE "C" NOT NULL,
    number  bigint NOT NULL,
    topic   text COLLATE "C" NOT NULL,
    key     text NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (source, number)
);
COMMENT ON TABLE sources.outbox IS 'Messages that are due, each until it was published.';
