"""Which adapters stand behind the files, databases, topics and catalogs of other systems; imported where asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.postgres.log_identity import TOPIC_LOG
from adapters.postgres.topic_log import PostgresTopicLog
from application.continued_log import ContinuedLog, own_offsets
from application.ports.file_source import FileSource
from application.ports.message_stream import MessageStream, Partition
from application.ports.product_catalog import ProductCatalog
from application.ports.source_database import SourceDatabase
from application.sources.topics import require_topics
from entrypoints.settings import SettingsError

if TYPE_CHECKING:
    from adapters.files.duckdb_row_mapping import DuckDbRowMapping
    from adapters.kafka.connection import KafkaConnection


def file_source() -> FileSource:
    """Give what reads files."""
    from adapters.files.duckdb_file_source import DuckDbFileSource  # noqa: PLC0415

    return DuckDbFileSource()


def row_mapping(folder: Path) -> DuckDbRowMapping:
    """Give a mapping of rows; raises MappingError where something in it is wrong."""
    from adapters.files.duckdb_row_mapping import DuckDbRowMapping  # noqa: PLC0415

    return DuckDbRowMapping(folder)


def source_database(url: str) -> SourceDatabase:
    """Give a database by its URL; SQLAlchemy is an extra."""
    try:
        from adapters.sql.source_database import SqlSourceDatabase  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("to read a database the extra 'orders-db' must be installed") from error
    return SqlSourceDatabase(url)


@contextmanager
def product_catalog(own: Callable[[], ProductCatalog], url: str | None) -> Iterator[ProductCatalog]:
    """Give the catalog in MongoDB where there is a URL, else the platform's own; pymongo is an extra."""
    if url is None:
        yield own()
        return
    try:
        from adapters.mongo.product_catalog import MongoCatalog  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("to read a catalog in MongoDB the extra 'mongo' must be installed") from error
    with closing(MongoCatalog(url)) as catalog:
        yield catalog


@contextmanager
def foreign_topics(
    kafka: KafkaConnection | None,
    own: Callable[..., PostgresTopicLog],
    source: str,
    topics: Collection[str],
    *,
    positions: Callable[[], Mapping[Partition, int]],
    claim: Callable[[Mapping[str, str]], Mapping[Partition, int]],
) -> Iterator[MessageStream]:
    """Give topics of other systems, by their own names: on Kafka where its brokers are set, else in the topic log.

    `positions` gives what is recorded: partitions that the group takes away and hands back are begun there. `claim`
    is told the ids of the topics, and says where their offsets begin to count.

    Raises:
        UnknownTopicError: one does not exist; on Kafka, since where its offsets begin must be known before it does.
    """
    if kafka is None:
        log = own(list(topics))
        starts = claim(dict.fromkeys(topics, TOPIC_LOG.name))
        yield ContinuedLog(log, starts) if starts else log
        log.close()
        return
    from adapters.kafka.message_stream import KafkaMessageStream  # noqa: PLC0415
    from adapters.kafka.topic_ids import read_topic_ids  # noqa: PLC0415

    connection = replace(kafka, group=f"{kafka.group}-{source}", topic_prefix="")
    ids = read_topic_ids(connection.admin(), topics)
    require_topics(topics, ids)
    starts = claim(ids)
    stream = KafkaMessageStream(connection, lambda: own_offsets(positions(), starts), topics, ids)
    with closing(stream):
        yield ContinuedLog(stream, starts) if starts else stream
