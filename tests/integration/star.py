"""A whole star on one database: a log in the event store, followed live and rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

import adapters.postgres
from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.quality import PostgresQuality
from adapters.postgres.read_model import PostgresReadModel
from application.codec import Metadata, Recorded, encode
from application.ports.event_store import Batch, NewEvent
from application.projections.registry import SUBJECTS
from application.replay.certificate import Certificate
from application.replay.follower import Follower

GOLD = Path(adapters.postgres.__file__).parent / "gold"
META = Metadata(datetime(2024, 1, 1, tzinfo=UTC), "message", "message", "test")


class Star:
    """The event store, the read models and the checks of one database."""

    def __init__(self, conninfo: str) -> None:
        self._store = PostgresEventStore(conninfo, pool_size=1)
        self.read_model = PostgresReadModel(conninfo, SUBJECTS, GOLD)
        self.read_model.create()
        self.quality = PostgresQuality(conninfo)
        self._pool = open_pool(conninfo, size=1)
        self.analytics = PostgresAnalytics(self._pool)
        self.sql = psycopg.connect(conninfo, autocommit=True)

    def append(self, log: Iterable[Recorded]) -> None:
        events = [NewEvent(r.stream_id, r.version, r.event.TOPIC, encode(r.event, META)) for r in log]
        self._store.append(Batch(events=events))

    def follow(self, batch_size: int = 1000) -> None:
        Follower(self._store, self.read_model, batch_size).run()

    def differences(self) -> list[Any]:
        """Rebuild aside, and return the tables that differ from the live ones."""
        certificate: Certificate = self.read_model.verify(lambda *_: None)
        return [table for table in certificate.tables if not table.equal]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        self.sql.execute("SET search_path = gold")
        return self.sql.execute(query.encode()).fetchall()

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.sql.execute(statement.encode())

    def close(self) -> None:
        self.sql.close()
        self._pool.close()
        self.read_model.close()
        self._store.close()


@contextmanager
def star(conninfo: str, log: Sequence[Recorded] = (), batch_size: int = 1000) -> Iterator[Star]:
    """Give a star whose live tables stand at the end of the log."""
    with closing(Star(conninfo)) as opened:
        if log:
            opened.append(log)
            opened.follow(batch_size)
        yield opened
