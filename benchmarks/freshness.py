"""How long it takes from producing a message until gold shows it, at a steady rate."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import psycopg

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.topics import ensure_topics
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from benchmarks.event_log import fill
from benchmarks.measure import Result, server
from deploy.services import native
from deploy.services.kafka import KAFKA

RATE = 1_000
SECONDS = 60
WARM_UP_SECONDS = 10
TICK = 0.02
PAST_ORDERS, PAST_ROUNDS, PAST_DAYS_AGO = 5_000, 5, 200
"""What a grown star holds before: orders, how often they are there, and since when."""
DATAFLOW = Path(sys.executable).parent / "dataflow"
_THERE = "SELECT DISTINCT order_id FROM gold.fact_order_line WHERE stream_id = ANY(%s)"


def gold() -> list[Result]:
    """Produce at a steady rate to Kafka; look at gold for the orders among the messages."""
    return _measured("freshness.gold", grown=False)


def grown() -> list[Result]:
    """Do so where the star holds a past already."""
    return _measured("freshness.grown", grown=True)


def _measured(name: str, *, grown: bool) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="dataflow-bench-") as folder, server() as fresh, ExitStack() as stack:
        broker = native.start(KAFKA, Path(folder))
        stack.callback(native.end, KAFKA, broker)
        conninfo = fresh()
        environment = os.environ | {
            "DATAFLOW_HOME": folder,
            "DATAFLOW_DATABASE_URL": _url(conninfo),
            "DATAFLOW_KAFKA_BOOTSTRAP": broker.url,
        }
        connection = KafkaConnection(broker.url, "publisher", "", {})
        ensure_topics(connection.admin(), "")
        events = _grow(conninfo, environment) if grown else 0
        for command in ("consume", "project"):
            stack.enter_context(_running(command, environment))
        produced: dict[str, float] = {}
        seen: dict[str, float] = {}
        stop = Event()
        watcher = Thread(target=_watch, args=(conninfo, produced, seen, stop))
        _wait_for_gold(conninfo)
        watcher.start()
        _produce(KafkaMessageStream(connection), produced)
        _until(lambda: produced.keys() <= seen.keys())
        stop.set()
        watcher.join()
    warm = min(produced.values()) + WARM_UP_SECONDS
    delays = sorted(seen[order] - at for order, at in produced.items() if at >= warm)
    p50, p95, p99 = (delays[int(len(delays) * share)] for share in (0.5, 0.95, 0.99))
    detail: dict[str, object] = {
        "p50": round(p50, 3),
        "p95": round(p95, 3),
        "p99": round(p99, 3),
        "max": round(delays[-1], 3),
        "orders": len(delays),
        "events_before": events,
        "messages_per_second": RATE,
        "seconds": SECONDS,
    }
    return [Result(name, round(p99, 3), "s (p99)", "the target of 1 s", round(p99, 3), detail)]


def _grow(conninfo: str, environment: dict[str, str]) -> int:
    """Give the database a past, and its star; return how many events that is."""
    events = fill(conninfo, PAST_ORDERS, PAST_ROUNDS, PAST_DAYS_AGO)
    for command in ("switch-log", "rebuild"):
        subprocess.run([DATAFLOW, command], env=environment, check=True, capture_output=True)
    return events


def _url(conninfo: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    return f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


@contextmanager
def _running(command: str, environment: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen([DATAFLOW, command], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _produce(stream: KafkaMessageStream, produced: dict[str, float]) -> None:
    """Publish so many messages each tick; note when each order went out."""
    start = datetime.now(UTC) - timedelta(days=91)
    pending = messages(SimulationSettings(start=start, orders=RATE * SECONDS // 10, run="live"))
    began = time.monotonic()
    sent = 0
    while (elapsed := time.monotonic() - began) < SECONDS:
        due = [message for _, message in zip(range(int(elapsed * RATE) - sent), pending, strict=False)]
        now = time.monotonic()
        produced |= {m.key.removeprefix("order-"): now for m in due if b"dataflow.PlaceOrder.v1" in m.payload}
        stream.publish(due)
        sent += len(due)
        time.sleep(TICK)
    stream.close()


def _watch(conninfo: str, produced: dict[str, float], seen: dict[str, float], stop: Event) -> None:
    """Ask for the orders that are still to come, by the table's key: to look must cost next to nothing."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while not stop.is_set():
            awaited = [f"order-{order}" for order in list(produced) if order not in seen]
            rows = connection.execute(_THERE, [awaited]).fetchall() if awaited else []
            now = time.monotonic()
            seen.update((order, now) for (order,) in rows)
            time.sleep(TICK)


def _wait_for_gold(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        _until(lambda: connection.execute("SELECT to_regclass('gold.fact_stock_movement')").fetchone() != (None,))


def _until(condition: Callable[[], bool], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(TICK)


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"freshness.gold": gold, "freshness.grown": grown}
