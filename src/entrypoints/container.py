"""The wiring: which adapter stands behind which port. The only module that knows them all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

from dependency_injector import containers, providers

from adapters.files.duckdb_file_source import DuckDbFileSource
from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.database import ensure_database, kept_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.migrate import migrate
from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.role_lock import PostgresRoleLock
from adapters.postgres.server import EmbeddedPostgres
from adapters.postgres.topic_log import PostgresTopicLog
from application.ingest.quarantine import Quarantine
from application.ingest.service import Ingest, IngestSettings
from application.projections.registry import SUBJECTS
from application.relay import Relay
from application.replay.follower import Follower
from entrypoints.settings import Settings

DATABASE = "dataflow"


def _now() -> datetime:
    return datetime.now(UTC)


def _database(settings: Settings) -> Iterator[str]:
    """Give the connection string of a migrated database; start the embedded server where none is set."""
    if settings.database_url is not None:
        migrate(settings.database_url)
        yield settings.database_url
        return
    server = EmbeddedPostgres(settings.home)
    try:
        ensure_database(server.conninfo(), DATABASE)
        conninfo = server.conninfo(DATABASE)
        migrate(conninfo)
        yield conninfo
    finally:
        server.stop()


def _read_model(conninfo: str) -> Iterator[PostgresReadModel]:
    with as_file(files("adapters.postgres").joinpath("gold")) as folder:
        read_model = PostgresReadModel(conninfo, SUBJECTS, Path(folder))
        read_model.create()
        yield read_model
        read_model.close()


def _event_store(conninfo: str) -> Iterator[PostgresEventStore]:
    store = PostgresEventStore(conninfo)
    yield store
    store.close()


class Container(containers.DeclarativeContainer):
    """Everything that a command may ask for; nothing connects before it is asked for."""

    settings = providers.Dependency(instance_of=Settings)
    now = providers.Object(_now)

    database = providers.Resource(_database, settings)
    pool = providers.Resource(kept_pool, database)
    event_store = providers.Resource(_event_store, database)
    read_model = providers.Resource(_read_model, database)

    inbox = providers.Singleton(PostgresInbox, pool)
    topic_log = providers.Factory(PostgresTopicLog, pool, database)
    analytics = providers.Singleton(PostgresAnalytics, pool)
    roles = providers.Singleton(PostgresRoleLock, database)
    files = providers.Factory(DuckDbFileSource)

    ingest_settings = providers.Factory(IngestSettings, batch_size=settings.provided.batch_size)
    ingest = providers.Factory(Ingest, event_store, inbox, topic_log, now, ingest_settings)
    relay = providers.Factory(Relay, event_store, topic_log)
    quarantine = providers.Factory(Quarantine, event_store, inbox, now)
    follower = providers.Factory(Follower, event_store, read_model, batch_size=settings.provided.project_batch_size)
