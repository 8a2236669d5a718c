-- The embedded default of the product catalog: documents, as they would stand in MongoDB.
CREATE SCHEMA IF NOT EXISTS catalog;

CREATE TABLE IF NOT EXISTS catalog.documents (
    collection text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    body       jsonb NOT NULL,
    PRIMARY KEY (collection, key)
);
COMMENT ON TABLE catalog.documents IS 'Documents of the product catalog by collection; the key is their _id as JSON.';
