-- Every message as received, with what became of it; and those in quarantine.
CREATE SCHEMA IF NOT EXISTS bronze;

CREATE TABLE IF NOT EXISTS bronze.messages (
    topic       text COLLATE "C" NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    key         text,
    message_id  text COLLATE "C",
    stream_id   text COLLATE "C",
    outcome     text NOT NULL CHECK (outcome IN ('applied', 'duplicate', 'quarantined')),
    received_at timestamptz NOT NULL,
    payload     bytea NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
);
COMMENT ON TABLE bronze.messages IS 'One row per message received, its bytes unchanged.';
COMMENT ON COLUMN bronze.messages.stream_id IS
    'The stream it addresses; of an applied or doubled message only where that is not its key.';

CREATE UNIQUE INDEX IF NOT EXISTS messages_message_id_idx
    ON bronze.messages (message_id) WHERE outcome <> 'duplicate';

CREATE TABLE IF NOT EXISTS bronze.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic         text COLLATE "C" NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint NOT NULL,
    source        text NOT NULL,
    code          text NOT NULL,
    detail        text NOT NULL,
    status        text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retried', 'discarded')),
    actor         text,
    note          text,
    settled_at    timestamptz,
    UNIQUE (topic, partition, "offset")
);
COMMENT ON TABLE bronze.quarantine IS
    'Why a message is in quarantine, and who settled it when; its bytes are in bronze.messages.';

CREATE TABLE IF NOT EXISTS bronze.positions (
    topic       text COLLATE "C" NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE bronze.positions IS 'The offset to go on from, moved in the transaction that keeps the messages.';
