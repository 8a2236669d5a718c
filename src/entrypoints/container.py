"""The wiring: which adapter stands behind which port. The only module that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from entrypoints.lean_imports import without

with without("fastapi", "pydantic", "pydantic_settings", "starlette", "werkzeug", "yaml"):
    from dependency_injector import containers, providers

from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.archive import PostgresArchive
from adapters.postgres.cases import PostgresCaseBook
from adapters.postgres.catalog import PostgresCatalog
from adapters.postgres.certificates import PostgresCertificates
from adapters.postgres.database import ensure_database, kept_alive, kept_pool, misread, with_parameter
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.leader_epochs import PostgresLeaderEpochs
from adapters.postgres.log_identity import TOPIC_LOG, PostgresLogIdentity
from adapters.postgres.migrate import migrate
from adapters.postgres.policies import PostgresPolicies
from adapters.postgres.quality import PostgresQuality
from adapters.postgres.quarantine_feed import PostgresQuarantineFeed
from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.read_model.builds import kept_builds
from adapters.postgres.read_model.certify import SOURCES
from adapters.postgres.read_model.steps import rebuild_steps
from adapters.postgres.revision import PostgresRevision
from adapters.postgres.role_lock import PostgresRoleLock
from adapters.postgres.runs import PostgresDigests, PostgresRuns
from adapters.postgres.server import EmbeddedPostgres
from adapters.postgres.source_ledger import PostgresSourceLedger
from adapters.postgres.topic_log import PostgresTopicLog
from application.continued_log import ContinuedLog, own_offsets
from application.dead_letters import DeadLetterFeed
from application.ingest.quarantine import Quarantine
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Inbox, QuarantineFeed
from application.ports.message_stream import LogIdentity, MessageStream
from application.process_runner.enriching import Enriching, Services
from application.process_runner.fulfilling import Fulfilling
from application.process_runner.runner import Runner
from application.projections.registry import SUBJECTS
from application.relay import Relay
from application.replay.code_version import code_version
from application.replay.follower import Follower
from entrypoints.feeds import file_source, foreign_topics, product_catalog, row_mapping, source_database
from entrypoints.services import analytics_for, open_cache, open_places, open_routes, open_weather
from entrypoints.settings import Settings, SettingsError

if TYPE_CHECKING:
    from adapters.kafka.connection import KafkaConnection

DATABASE = "dataflow"
RETRY_ATTEMPTS = 10
"""How often a message of the quarantine is decided about while a consumer writes its stream: it wins now and then."""


def _now() -> datetime:
    return datetime.now(UTC)


def _database(settings: Settings) -> Iterator[str]:
    """Give the connection string of a migrated database; start the embedded server where none is set."""
    if settings.database_url is not None:
        if (why := misread(settings.database_url)) is not None:
            raise SettingsError(f"DATAFLOW_DATABASE_URL can't be used: {why}")
        migrate(settings.database_url)
        yield kept_alive(settings.database_url)
        return
    server = EmbeddedPostgres(settings.home)
    try:
        ensure_database(server.conninfo(), DATABASE)
        conninfo = server.conninfo(DATABASE)
        migrate(conninfo)
        yield conninfo
    finally:
        server.stop()


def _for_read_models(conninfo: str, settings: Settings) -> str:
    return with_parameter(conninfo, "dataflow.fiscal_year_start", str(settings.fiscal_year_start))


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


def _kafka(settings: Settings) -> KafkaConnection | None:
    """Give the way to Kafka, with all topics there, where its brokers are set; the client is an extra."""
    if settings.kafka_bootstrap is None:
        return None
    try:
        from adapters.kafka.connection import KafkaConnection  # noqa: PLC0415
        from adapters.kafka.topics import ensure_topics  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("DATAFLOW_KAFKA_BOOTSTRAP is set, but the extra 'kafka' is not installed") from error
    connection = KafkaConnection(
        settings.kafka_bootstrap, settings.kafka_group, settings.kafka_topic_prefix, settings.kafka_properties
    )
    ensure_topics(connection.reach(), connection.topic_prefix)
    return connection


def _named_log(kafka: KafkaConnection | None) -> LogIdentity:
    """Return the log that the settings name."""
    if kafka is None:
        return TOPIC_LOG
    from adapters.kafka.topics import log_identity  # noqa: PLC0415

    return log_identity(kafka.admin(), kafka.topic_prefix)


def _compacted_topics(kafka: KafkaConnection | None) -> list[str]:
    """Return the topics on Kafka that lose messages because they are compacted; the topic log loses none."""
    if kafka is None:
        return []
    from adapters.kafka.topics import compacted_topics  # noqa: PLC0415

    return compacted_topics(kafka.admin(), kafka.topic_prefix)


def _message_stream(
    kafka: KafkaConnection | None,
    own: Callable[[], PostgresTopicLog],
    inbox: Inbox,
    identity: PostgresLogIdentity,
    epochs: Callable[..., PostgresLeaderEpochs],
) -> Iterator[MessageStream]:
    """Give Kafka where its brokers are set, else the database's own topic log; raises what `claim` raises."""
    starts = identity.claim(named := _named_log(kafka))
    if kafka is None:
        log = own()
        yield ContinuedLog(log, starts) if starts else log
        log.close()
        return
    from adapters.kafka.message_stream import KafkaMessageStream  # noqa: PLC0415

    stream = KafkaMessageStream(
        kafka,
        lambda: own_offsets(inbox.positions(), starts),
        ids=named.topics,
        epochs=epochs(starts),
    )
    yield ContinuedLog(stream, starts) if starts else stream
    stream.close()


def _dead_letters(kafka: KafkaConnection | None, inbox: Inbox, feed: QuarantineFeed) -> Iterator[DeadLetterFeed | None]:
    """Give what publishes dead letters on Kafka; beside the topic log, quarantine is in the same database."""
    if kafka is None:
        yield None
        return
    from adapters.kafka.dead_letters import DeadLetters  # noqa: PLC0415
    from adapters.kafka.producer import Publisher  # noqa: PLC0415

    publisher = Publisher(kafka)
    yield DeadLetterFeed(inbox, feed, DeadLetters(publisher).publish)
    publisher.close()


class Container(containers.DeclarativeContainer):
    """Everything that a command may ask for; nothing connects before it is asked for."""

    settings = providers.Dependency(instance_of=Settings)
    now = providers.Object(_now)

    database = providers.Resource(_database, settings)
    pool_patience = providers.Object(10.0)
    pool = providers.Resource(kept_pool, database, pool_patience)
    event_store = providers.Resource(_event_store, database)
    for_read_models = providers.Callable(_for_read_models, database, settings)
    read_model = providers.Resource(_read_model, for_read_models)

    inbox = providers.Singleton(PostgresInbox, pool)
    own_topic_log = providers.Factory(PostgresTopicLog, pool, database)
    kafka = providers.Singleton(_kafka, settings)
    named_log = providers.Callable(_named_log, kafka)
    compacted_topics = providers.Callable(_compacted_topics, kafka)
    log_identity = providers.Singleton(PostgresLogIdentity, pool)
    leader_epochs = providers.Factory(PostgresLeaderEpochs, pool)
    topic_log = providers.Resource(
        _message_stream, kafka, own_topic_log.provider, inbox, log_identity, leader_epochs.provider
    )
    quarantine_feed = providers.Singleton(PostgresQuarantineFeed, pool)
    dead_letters = providers.Resource(_dead_letters, kafka, inbox, quarantine_feed)
    cache = providers.Resource(open_cache, settings)
    weather = providers.Resource(open_weather, settings, cache, now)
    routes = providers.Resource(open_routes, settings, cache)
    places = providers.Resource(open_places, settings, cache)

    revision = providers.Singleton(PostgresRevision, pool)
    measuring = providers.Singleton(PostgresAnalytics, pool)
    analytics = providers.Singleton(analytics_for, settings, measuring, cache.provider, revision)
    policies = providers.Singleton(PostgresPolicies, pool)
    archive = providers.Singleton(PostgresArchive, pool)
    quality = providers.Singleton(PostgresQuality, database)
    certificates = providers.Singleton(PostgresCertificates, pool)
    runs = providers.Singleton(PostgresRuns, pool)
    digests = providers.Singleton(PostgresDigests, database)
    code_version = providers.Callable(code_version, *SOURCES)
    builds = providers.Resource(kept_builds, for_read_models, pool, SUBJECTS)
    rebuild_steps = providers.Resource(rebuild_steps, for_read_models, SUBJECTS, builds)
    roles = providers.Singleton(PostgresRoleLock, database)
    files = providers.Factory(file_source)
    row_mapping = providers.Factory(row_mapping)
    source_database = providers.Factory(source_database)
    source_ledger = providers.Singleton(PostgresSourceLedger, pool)
    own_catalog = providers.Singleton(PostgresCatalog, pool)
    product_catalog = providers.Factory(product_catalog, own_catalog.provider)
    foreign_topics = providers.Factory(foreign_topics, kafka, own_topic_log.provider)

    ingest_settings = providers.Factory(IngestSettings, batch_size=settings.provided.batch_size)
    ingest = providers.Factory(Ingest, event_store, inbox, topic_log, now, ingest_settings)
    relay = providers.Factory(Relay, event_store, topic_log)
    cases = providers.Singleton(PostgresCaseBook, pool)
    enriching = providers.Factory(Enriching, event_store, providers.Factory(Services, routes, weather, places))
    fulfilment = providers.Factory(Runner, providers.Factory(Fulfilling, event_store), event_store, cases, now)
    enrichment = providers.Factory(Runner, enriching, event_store, cases, now)
    quarantine = providers.Factory(Quarantine, event_store, inbox, now, attempts=RETRY_ATTEMPTS)
    follower = providers.Factory(Follower, event_store, read_model, batch_size=settings.provided.project_batch_size)
