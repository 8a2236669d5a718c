"""From the log to certified, indexed, swapped gold with two workers, beside raw COPY and the library's projections."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

import psycopg

from adapters.postgres.read_model import PostgresReadModel
from application.projections.registry import SUBJECTS
from application.replay.certificate import Rebuilt
from benchmarks import event_log, library_projection, server_alone
from benchmarks.measure import Result, seconds, server

ORDERS = 10_000
ROUNDS_1M, ROUNDS_5M = 4, 20
WORKERS = 2
COPY_IN_UPTO, COPY_IN_TRANSACTION = 1_000_000, 20_000
LIBRARY_EVENTS = 2_000


class Measured(NamedTuple):
    """A rebuild: its seconds, where they went, and the peak memory of a worker in MB."""

    rebuilt: Rebuilt
    seconds: float
    phases: dict[str, float]
    peak_mb: float


def rebuild(name: str, rounds: int) -> list[Result]:
    """Build once to have something live, then again, measured: compared with it, and swapped."""
    with server() as fresh:
        conninfo = fresh()
        events = event_log.fill(conninfo, ORDERS, rounds)
        with as_file(files("adapters.postgres").joinpath("gold")) as folder:
            read_model = PostgresReadModel(conninfo, SUBJECTS, Path(folder))
            read_model.create()
            _measured(conninfo, read_model)
            measured = _measured(conninfo, read_model)
            read_model.close()
        certificate = measured.rebuilt.certificate
        assert certificate is not None
        assert certificate.equal
        assert measured.rebuilt.events == events
        out = events / seconds(lambda: event_log.copy_out(conninfo))
        log, copied = event_log.parts(conninfo, COPY_IN_UPTO, COPY_IN_TRANSACTION)
        into = fresh()
        in_ = copied / seconds(lambda: event_log.copy_in(into, log))
        library = library_projection.events_per_second(fresh(), _some_events(conninfo))
        alone = server_alone.seconds_of_parts(conninfo, WORKERS)
    value, limit = events / measured.seconds, events / sum(alone.values())
    detail: dict[str, object] = {
        "events": events,
        "seconds": round(measured.seconds, 2),
        "workers": WORKERS,
        "worker_peak_memory_mb": round(measured.peak_mb),
        "phases_percent": {phase: round(100 * spent / measured.seconds) for phase, spent in measured.phases.items()},
        "swap_locked_ms": round(1000 * (measured.rebuilt.locked_seconds or 0), 1),
        "copy_out_of_the_log": round(out),
        "ratio_to_copy_out": round(value / out, 3),
        "server_alone": round(limit),
        "server_alone_seconds": {part: round(taken, 2) for part, taken in alone.items()},
        "ratio_to_server_alone": round(value / limit, 2),
        "library_projection_runner": round(library),
        "ratio_to_library": round(value / library, 1),
    }
    baseline = f"raw COPY of the same events into the log, {COPY_IN_TRANSACTION:,} a transaction: {in_:,.0f} events/s"
    return [Result(name, round(value), "events/s", baseline, round(value / in_, 3), detail)]


def _measured(conninfo: str, read_model: PostgresReadModel) -> Measured:
    phases: defaultdict[str, float] = defaultdict(float)
    phase, since = "plan", time.perf_counter()
    started = since

    def enter(name: str, _done: int, _total: int) -> None:
        nonlocal phase, since
        now = time.perf_counter()
        phases[phase] += now - since
        phase, since = name, now

    rebuilt = read_model.rebuild(enter, workers=WORKERS)
    enter("end", 0, 0)
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT max(peak_mb) FROM replay.shards WHERE build = 'live'").fetchone()
    assert row is not None
    return Measured(rebuilt, since - started, dict(phases), row[0])


def _some_events(conninfo: str) -> list[tuple[str, str, str]]:
    query = (
        "SELECT originator_id, topic, convert_from(state, 'UTF8') FROM events.stored_events"
        " WHERE originator_id LIKE 'order-%%' ORDER BY notification_id LIMIT %s"
    )
    with psycopg.connect(conninfo) as connection:
        return [
            (str(stream), str(topic), str(state))
            for stream, topic, state in connection.execute(query, [LIBRARY_EVENTS])
        ]


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {
    "rebuild.1m": partial(rebuild, "rebuild.1m", ROUNDS_1M),
    "rebuild.5m": partial(rebuild, "rebuild.5m", ROUNDS_5M),
}
