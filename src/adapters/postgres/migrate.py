"""Create everything that the platform keeps in PostgreSQL, in one step, under one lock."""

from __future__ import annotations

import re
from importlib.resources import files

import psycopg

from adapters.postgres import locks
from adapters.postgres.errors import translated
from adapters.postgres.recorder import EVENTS_SCHEMA, Datastore, Recorder
from adapters.postgres.sequences import put_on
from application.aggregates import TOPICS
from application.relay import RELAY_TOPIC

PARTITIONS = 4
"""Partitions of each topic of the embedded topic log."""

_INDEX = re.compile(r'CREATE (?:UNIQUE )?INDEX IF NOT EXISTS "?(\w+)"?\s+ON "?(\w+)"?\.')


def migrate(conninfo: str) -> None:
    """Create schemas and tables that are missing; safe to call from many processes at once.

    Raises:
        StoreUnavailableError: the database does not answer, or refuses.
    """
    with translated(), psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [locks.MIGRATION])
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {EVENTS_SCHEMA}")
        _create_event_tables(conninfo, connection)
        for name in (
            "bronze.sql",
            "dead_letters.sql",
            "logs.sql",
            "stream.sql",
            "sources.sql",
            "catalog.sql",
            "certificates.sql",
            "replay.sql",
            "policies.sql",
            "processes.sql",
            "quality.sql",
            "runs.sql",
        ):
            script = files("adapters.postgres").joinpath("schema", name).read_text()
            # A blank line ends a transaction, and so the lock on a table that is changed: whoever writes into several
            # meanwhile waits for this, or this for them, but never both.
            for part in script.split("\n\n"):
                if not _has_index(connection, part):
                    connection.execute(part.encode())
        put_on(connection, (EVENTS_SCHEMA, "bronze", "replay", "quality"))
        connection.execute(
            "INSERT INTO stream.partitions (topic, partition) "
            "SELECT topic, partition FROM unnest(%s::text[]) AS topic, generate_series(0, %s) AS partition "
            "ON CONFLICT DO NOTHING",
            [[*TOPICS, RELAY_TOPIC], PARTITIONS - 1],
        )


def _create_event_tables(conninfo: str, connection: psycopg.Connection) -> None:
    """Let the eventsourcing library create its tables; order stream ids by bytes, not by language."""
    with Datastore(conninfo, pool_size=1) as datastore:
        recorder = Recorder(datastore)
        missing = [each for each in recorder.sql_create_statements if not _has_index(connection, each.as_string())]
        recorder.sql_create_statements = missing
        recorder.create_table()
    collation = connection.execute(
        "SELECT c.collname FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation "
        "WHERE a.attrelid = %s::regclass AND a.attname = 'originator_id'",
        [f"{EVENTS_SCHEMA}.stored_events"],
    ).fetchone()
    if collation is not None and collation[0] != "C":
        connection.execute(
            f'ALTER TABLE {EVENTS_SCHEMA}.stored_events ALTER COLUMN originator_id TYPE text COLLATE "C"'
        )


def _has_index(connection: psycopg.Connection, statement: str) -> bool:
    """Tell whether a statement creates an index that is there: it would wait for all who write, and only then look."""
    created = _INDEX.match(statement)
    if created is None:
        return False
    name, schema = created.groups()
    return connection.execute("SELECT to_regclass(%s)", [f"{schema}.{name}"]).fetchone() != (None,)
