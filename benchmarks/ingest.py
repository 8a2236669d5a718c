"""From the stream to committed events and bronze: the topic log and Kafka, beside raw COPY and the library."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.topics import ensure_topics
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.topic_log import PostgresTopicLog
from application.ingest.publishing import publish_all
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Balance
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from benchmarks.library import messages_per_second
from benchmarks.measure import Result, median, seconds, server, spread
from benchmarks.raw_copy import copy_in, rows_of
from deploy.services import native
from deploy.services.kafka import KAFKA
from entrypoints.pipeline import tune_interpreter

BATCH = IngestSettings().batch_size
TOPIC_LOG_ORDERS, ROUNDS = 10_000, 3
KAFKA_ORDERS = 50_000
LIBRARY_MESSAGES = 3_000


class Consumed(NamedTuple):
    """What one consumer did: seconds from its first poll to its last commit, and its peak memory."""

    seconds: float
    balance: Balance
    peak_mb: float


def _settings(orders: int) -> SimulationSettings:
    return SimulationSettings(start=datetime.now(UTC) - timedelta(days=91), orders=orders)


def topic_log() -> list[Result]:
    """Measure ingest and COPY in turn, on fresh databases of one server."""
    made = list(messages(_settings(TOPIC_LOG_ORDERS)))
    ingest_rates, copy_rates = [], []
    events = 0
    with server() as fresh:
        for _ in range(ROUNDS):
            conninfo = fresh()
            with open_pool(conninfo) as pool:
                publish_all(PostgresTopicLog(pool, conninfo), made)
            consumed = _in_a_process(_consume_topic_log, conninfo)
            assert consumed.balance.applied == len(made), consumed
            ingest_rates.append(len(made) / consumed.seconds)
            bronze, log, events = rows_of(conninfo, BATCH)
            copy_rates.append(len(made) / copy_in(fresh(), bronze, log))
    value, baseline = median(ingest_rates), median(copy_rates)
    detail: dict[str, object] = {"messages": len(made), "events": events, "rounds": spread(ingest_rates)}
    return [_result("ingest.topic_log", value, baseline, detail | {"baseline_rounds": spread(copy_rates)})]


def kafka() -> list[Result]:
    """Measure one consumer, two together, COPY of the rows, and the library on a part of the messages."""
    settings = _settings(KAFKA_ORDERS)
    with tempfile.TemporaryDirectory(prefix="dataflow-bench-") as folder, server() as fresh:
        broker = native.start(KAFKA, Path(folder))
        try:
            connection = KafkaConnection(broker.url, "publisher", "", {})
            ensure_topics(connection.admin(), "")
            stream = KafkaMessageStream(connection)
            count = publish_all(stream, messages(settings))
            stream.close()
            conninfo = fresh()
            one = _in_a_process(_consume_kafka, conninfo, broker.url, "one")
            assert one.balance.applied == count, one
            together = _two(fresh(), broker.url, count)
        finally:
            native.end(KAFKA, broker)
        bronze, log, events = rows_of(conninfo, BATCH)
        baseline = count / copy_in(fresh(), bronze, log)
        library = messages_per_second(fresh(), islice(messages(settings), 1_500, 1_500 + LIBRARY_MESSAGES))
    value = count / one.seconds
    detail: dict[str, object] = {
        "messages": count,
        "events": events,
        "peak_memory_mb": round(one.peak_mb),
        "two_consumers": round(count / together),
        "library_messages_per_second": round(library),
        "ratio_to_library": round(value / library, 1),
    }
    return [_result("ingest.kafka", value, baseline, detail)]


def _result(name: str, value: float, baseline: float, detail: dict[str, object]) -> Result:
    beside = f"raw COPY of the same rows, {BATCH} messages a transaction: {baseline:,.0f} messages/s"
    return Result(name, round(value), "messages/s", beside, round(value / baseline, 3), detail)


def _in_a_process(consume: Callable[..., Consumed], *arguments: str) -> Consumed:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(consume, *arguments).result()


def _two(conninfo: str, bootstrap: str, count: int) -> float:
    """Return the seconds that two consumers need together, from the first poll to the last commit."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        done = [processes.submit(_consume_kafka, conninfo, bootstrap, "two") for _ in range(2)]
        both = [each.result() for each in done]
    assert sum(each.balance.applied for each in both) == count, both
    return max(each.seconds for each in both)


def _consume_topic_log(conninfo: str) -> Consumed:
    with open_pool(conninfo) as pool:
        stream = PostgresTopicLog(pool, conninfo)
        consumed = _catch_up(conninfo, PostgresInbox(pool), lambda ingest: ingest(stream))
        stream.close()
    return consumed


def _consume_kafka(conninfo: str, bootstrap: str, group: str) -> Consumed:
    with open_pool(conninfo) as pool:
        inbox = PostgresInbox(pool)
        stream = KafkaMessageStream(KafkaConnection(bootstrap, group, "", {}), inbox.positions)
        stream.poll(0, 0)
        consumed = _catch_up(conninfo, inbox, lambda ingest: ingest(stream))
        stream.close()
    return consumed


def _catch_up(conninfo: str, inbox: PostgresInbox, with_stream: Callable[..., Ingest]) -> Consumed:
    tune_interpreter()
    store = PostgresEventStore(conninfo)
    ingest = with_stream(lambda stream: Ingest(store, inbox, stream, lambda: datetime.now(UTC)))
    taken: list[Balance] = []
    elapsed = seconds(lambda: taken.append(ingest.catch_up()))
    store.close()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Consumed(elapsed, taken[0], kilobytes / (1e6 if sys.platform == "darwin" else 1e3))


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"ingest.topic_log": topic_log, "ingest.kafka": kafka}
