"""Messages at a steady rate, readers that ask the star again and again, and a watch on how far it all is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from threading import Event, Thread
from typing import NamedTuple, Self

import psycopg

from adapters.postgres.database import open_pool
from adapters.postgres.topic_log import PostgresTopicLog
from application.projections.registry import SUBJECTS
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages

TICK, SLOW, BRIEF = 0.02, 0.1, 0.003
"""Seconds between two looks; whoever adds up whole tables leaves the machine to others for longer."""
START = datetime(2026, 1, 5, tzinfo=UTC)
TABLES = (
    "gold.fact_order",
    "gold.fact_order_line",
    "silver.order_line_events",
    "gold.fact_shipment",
    "gold.fact_stock_daily",
    "gold.fact_stock_movement",
    "gold.dim_product",
    "silver.orders",
    "silver.stock",
)
"""What readers read: of whichever star the first table is, the others must be, too."""
_WHICH = [f"(SELECT tableoid::bigint FROM {table} LIMIT 1)" for table in TABLES]
_LAST = [f"(SELECT max(last_position) FROM silver.{subject.tables[0].name})" for subject in SUBJECTS]
_AMOUNTS = "sum(ordered) AS a, sum(shipped) AS b, sum(delivered) AS c, sum(net) AS d"
_BOTH = (
    f"SELECT ARRAY[l.n, l.a, l.b, l.c, l.d, m.units, greatest({', '.join(_LAST)})],"
    " ARRAY[o.n, o.a, o.b, o.c, o.d, s.units, c.notification_id]"
    f" FROM (SELECT count(*) AS n, {_AMOUNTS} FROM gold.fact_order_line) l,"
    f" (SELECT sum(lines) AS n, {_AMOUNTS} FROM gold.fact_order) o,"
    " (SELECT sum(delta_on_hand) AS units FROM gold.fact_stock_movement) m,"
    " (SELECT sum(on_hand) AS units FROM silver.stock) s,"
    " (SELECT notification_id FROM events.notification_tracking WHERE application_name = 'analytics') c"
)
"""What different tables say of the same lines and units, and up to which position; the checkpoint tells that, too."""
_HOW_FAR = (
    "SELECT b.name, b.status, (SELECT coalesce(sum(next_offset), 0)::bigint FROM bronze.positions),"
    " (SELECT coalesce(max(notification_id), 0) FROM events.notification_tracking WHERE application_name = 'analytics')"
    " FROM (VALUES (1)) AS one LEFT JOIN replay.builds b ON b.purpose = 'rebuild'"
)


class Seen(NamedTuple):
    """What a reader saw in one moment: the table behind each name, and where two of them contradict each other."""

    tables: tuple[int | None, ...]
    contradiction: tuple[list[Decimal], list[Decimal]] | None


class Sample(NamedTuple):
    """How far it all is: the build aside, if any, messages taken in, the position of the read models."""

    at: float
    build: str | None
    status: str | None
    messages: int
    position: int


class Traffic:
    """Messages published at a rate, and the watch on them; a context manager: at its end nobody is at work."""

    def __init__(self, conninfo: str, rate: int, seed: int) -> None:
        self.samples: list[Sample] = []
        self.seen: list[Seen] = []
        self.failures: list[Exception] = []
        self._conninfo, self._rate, self._seed = conninfo, rate, seed
        self._stop = Event()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        """Begin to publish and to watch."""
        self._start(self._publish)
        self._start(self._watch)
        return self

    def __exit__(self, *_: object) -> None:
        """End it all."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def read(self) -> None:
        """Let readers begin, each of whom sees several tables in one moment in its own way."""
        for way, pause in ((_in_one_statement, SLOW), (_in_one_snapshot, SLOW), (_in_one_transaction, BRIEF)):
            self._start(partial(self._read, way, pause))

    def position(self) -> int:
        """Return how far the read models are."""
        return self.samples[-1].position if self.samples else 0

    def builds(self) -> list[str]:
        """Return the builds that were made aside meanwhile, in order."""
        return list(dict.fromkeys(sample.build for sample in self.samples if sample.build))

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
                self.failures.append(error)

        self._threads.append(Thread(target=run))
        self._threads[-1].start()

    def _publish(self) -> None:
        pending = messages(SimulationSettings(start=START, seed=self._seed, orders=1_000_000, days=10_000))
        began, sent = time.monotonic(), 0
        with open_pool(self._conninfo, size=1) as pool:
            stream = PostgresTopicLog(pool, self._conninfo)
            while not self._stop.wait(TICK):
                due = int((time.monotonic() - began) * self._rate) - sent
                stream.publish([next(pending) for _ in range(due)])
                sent += due

    def _watch(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as conn:
            while not self._stop.wait(TICK):
                for row in conn.execute(_HOW_FAR):
                    self.samples.append(Sample(time.monotonic(), *row))

    def _read(self, way: Callable[[psycopg.Connection], Seen], pause: float) -> None:
        # As a client does that prepares nothing: a swap changes what names mean.
        with psycopg.connect(self._conninfo, autocommit=True, prepare_threshold=None) as conn:
            while not self._stop.wait(pause):
                self.seen.append(way(conn))


def _in_one_statement(conn: psycopg.Connection) -> Seen:
    ((tables, *both),) = conn.execute(f"SELECT ARRAY[{', '.join(_WHICH)}], b.* FROM ({_BOTH}) b".encode())
    return _seen(tables, *both)


def _in_one_snapshot(conn: psycopg.Connection) -> Seen:
    """Read as the platform's own figures are read: a table is locked before there is a snapshot."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        conn.execute(f"LOCK TABLE {TABLES[0]} IN ACCESS SHARE MODE")
        tables = _one_after_the_other(conn)
        (both,) = conn.execute(_BOTH.encode())
        return _seen(tables, *both)


def _in_one_transaction(conn: psycopg.Connection) -> Seen:
    """Read by statements that each see what is committed: live tables may move on meanwhile, but not be swapped.

    They pause, so that hardly any moment is without such a transaction.
    """
    with conn.transaction():
        return Seen(tuple(_one_after_the_other(conn, BRIEF)), None)


def _one_after_the_other(conn: psycopg.Connection, pause: float = 0.0) -> list[int | None]:
    tables = []
    for which in _WHICH:
        tables += [table for (table,) in conn.execute(f"SELECT {which}".encode())]
        time.sleep(pause)
    return tables


def _seen(tables: list[int | None], one: list[Decimal], other: list[Decimal]) -> Seen:
    return Seen(tuple(tables), None if one == other else (one, other))
