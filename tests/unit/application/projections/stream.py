"""A stream of events, folded the way followers do: each event delivered twice, rows loaded in between."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from application.codec import Recorded
from application.projections.subject import Subject


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def recorded(stream_id: str, *events: Any, first: int = 101) -> list[Recorded]:
    return [Recorded(first + n, stream_id, n + 1, event) for n, event in enumerate(events)]


def rebuilt(subject: Subject, stream: list[Recorded]) -> dict[str, list[Any]]:
    """Fold the whole stream in memory."""
    view = None
    for each in stream:
        view = subject.fold(view, each)
    return {name: list(rows) for name, rows in subject.rows(view).items()}


def followed(subject: Subject, stream: list[Recorded]) -> dict[str, list[Any]]:
    """Fold event by event, each twice and once more with all before it, rows loaded anew each time."""
    kept: dict[str, list[Any]] = {table.name: [] for table in subject.tables}
    for n, each in enumerate(stream):
        for delivery in ([each], [each], stream[: n + 1]):
            loaded = {table.name: kept[table.name] for table in subject.tables if not table.append_only}
            view = subject.load(copy.deepcopy(loaded)) if any(loaded.values()) else None
            for event in delivery:
                view = subject.fold(view, event)
            for table in subject.tables:
                rows = list(subject.rows(view)[table.name])
                kept[table.name] = [*kept[table.name], *rows] if table.append_only else rows
    return kept


def rows_of(subject: Subject, stream_id: str, *events: Any) -> dict[str, list[Any]]:
    """Return the rows of a stream, the same whether followed with repetitions or rebuilt."""
    stream = recorded(stream_id, *events)
    rows = rebuilt(subject, stream)
    assert followed(subject, stream) == rows
    return rows
