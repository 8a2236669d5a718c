"""The story in a real database: recorded in the event store, followed live, and rebuilt with other folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg

import adapters.postgres
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.read_model import PostgresReadModel
from application.codec import Recorded
from application.ports.event_store import Batch, NewEvent
from application.projections.registry import SUBJECTS
from application.projections.subject import Subject
from application.replay.follower import Follower

GOLD = Path(adapters.postgres.__file__).parent / "gold"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Change = Callable[[Any, Recorded], None]


def stored(recorded: Recorded, recorded_at: datetime = NOON, topic: str | None = None) -> NewEvent:
    """Return an event as it is appended."""
    meta = {"recorded_at": recorded_at, "causation_id": "m1", "correlation_id": "m1", "source": "story"}
    state = msgspec.json.encode({"meta": meta, "data": recorded.event})
    return NewEvent(recorded.stream_id, recorded.version, topic or type(recorded.event).TOPIC, state)


def tell(conninfo: str, events: Iterable[NewEvent]) -> None:
    """Append events to the log."""
    with closing(PostgresEventStore(conninfo, pool_size=1)) as store:
        store.append(Batch(events=list(events)))


def read_model(conninfo: str, subjects: Sequence[Subject] = SUBJECTS) -> closing[PostgresReadModel]:
    """Give the read models, created."""
    model = PostgresReadModel(conninfo, subjects, GOLD)
    model.create()
    return closing(model)


def follow(conninfo: str, subjects: Sequence[Subject] = SUBJECTS) -> int:
    """Carry the read models to the end of the log; return the events applied."""
    with read_model(conninfo, subjects) as model, closing(PostgresEventStore(conninfo, pool_size=1)) as store:
        return Follower(store, model).run()


def changed(name: str, change: Change) -> tuple[Subject, ...]:
    """Return all subjects, one of them with a fold that also does `change(view, recorded)` after each event."""

    def with_change(subject: Subject) -> Subject:
        def fold(view: Any, recorded: Recorded) -> Any:
            view = subject.fold(view, recorded)
            change(view, recorded)
            return view

        return replace(subject, fold=fold)

    return tuple(with_change(each) if each.name == name else each for each in SUBJECTS)


def silent(*_: object) -> None:
    """Report no progress."""


def select(conninfo: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement; return the rows it gives, if any."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []
