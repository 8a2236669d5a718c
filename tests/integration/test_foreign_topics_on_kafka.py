"""Another system's topic on real brokers, read by its own name from the recorded positions."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from adapters.files.duckdb_row_mapping import DuckDbRowMapping
from adapters.kafka.connection import KafkaConnection
from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.source_ledger import PostgresSourceLedger
from application.aggregates import TOPICS
from application.sources.topics import TopicIngest
from entrypoints.feeds import foreign_topics
from tests.kafka_topics import QUICK, bootstrap

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SELECT = "SELECT sku AS product_id, DATE '2026-05-01' AS occurred_at, name, _file FROM feed"


def test_a_topic_is_read_once_by_its_own_name(conninfo: str, tmp_path: Path) -> None:
    topic = f"foreign-{uuid4().hex[:12]}"
    types = 'types = { sku = "VARCHAR", name = "VARCHAR" }'
    (tmp_path / "mapping.toml").write_text(f'name = "feed"\nzone = "UTC"\n[topics.feed]\ntopic = "{topic}"\n{types}\n')
    (tmp_path / "10_RegisterProduct.sql").write_text(SELECT)
    kafka = KafkaConnection(bootstrap(), f"{topic}-group", "never-", QUICK)
    admin = kafka.admin()
    admin.create_topics([NewTopic(topic, 2)])[topic].result(30)
    published = MemoryMessageStream(TOPICS)
    try:
        for skus in (range(20), range(20, 25)):
            _say(kafka, topic, skus)
            assert _taken_in(kafka, conninfo, tmp_path, published) == len(skus)
    finally:
        admin.delete_topics([topic])[topic].result(30)
    keys = [message.key for message in published.poll(1_000, 0)]
    assert sorted(map(str, keys)) == sorted(f"product-{n}" for n in range(25))


def _say(kafka: KafkaConnection, topic: str, skus: range) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for sku in skus:
        producer.produce(topic, json.dumps({"sku": str(sku), "name": "Tea"}).encode(), key=str(sku))
    producer.flush(30)


def _taken_in(kafka: KafkaConnection, conninfo: str, mapping: Path, published: MemoryMessageStream) -> int:
    """Take in what a new process finds; return how many messages were read."""
    read = 0
    with closing(DuckDbRowMapping(mapping)) as rows, open_pool(conninfo) as pool:
        names = [str(table.topic) for table in rows.tables.values()]
        with foreign_topics(kafka, MemoryMessageStream, rows.name, names) as topics:
            ledger = PostgresSourceLedger(pool)
            ingest = TopicIngest(topics, rows, ledger, ledger, published)
            ingest.begin()
            while ingest.behind():
                read += ingest.step(NOW, 5)
    return read
