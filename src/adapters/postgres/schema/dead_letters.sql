-- Which quarantined messages were published as dead letters. Only where it is missing: ALTER TABLE waits for
-- every transaction that writes, and holds up all others meanwhile.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = 'bronze.quarantine'::regclass AND attname = 'handed_on'
    ) THEN
        ALTER TABLE bronze.quarantine ADD COLUMN handed_on boolean NOT NULL DEFAULT false;
        CREATE INDEX quarantine_pending_idx ON bronze.quarantine (quarantine_id) WHERE NOT handed_on;
    END IF;
END
$$;
