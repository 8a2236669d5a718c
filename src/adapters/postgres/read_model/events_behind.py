"""The events behind rows: those of a row's stream, between the positions that the row names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from psycopg import Connection

from application.codec import decode, describe
from application.ports.event_store import RecordedEvent
from application.replay.certificate import MAX_EVENTS, Difference, EventBehind, TableCertificate

_LATEST = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events"
    " WHERE originator_id = %s AND notification_id BETWEEN %s AND %s ORDER BY originator_version DESC LIMIT %s"
)
_PLACE = ("stream_id", "first_position", "last_position")


def with_events(conn: Connection, tables: Iterable[TableCertificate], upto: int) -> list[TableCertificate]:
    """Return the tables with the events behind each row that they name."""
    return [
        replace(table, differences=tuple(with_own_events(conn, each, upto) for each in table.differences))
        for table in tables
    ]


def events_between(conn: Connection, stream_id: str, first: int, last: int) -> tuple[EventBehind, ...]:
    """Return the events of a stream between two positions, both included: in order, of many the latest.

    Raises:
        UndecodableEventError: an event that no decoder understands.
    """
    with conn.cursor(binary=True) as cursor:
        found = cursor.execute(_LATEST, [stream_id, first, last, MAX_EVENTS]).fetchall()
    return tuple(_behind(RecordedEvent(*row)) for row in reversed(found))


def with_own_events(conn: Connection, difference: Difference, upto: int) -> Difference:
    """Return a difference with the events behind its rows, those up to a position."""
    rows = [row for row in (difference.live, difference.rebuilt) if row is not None and _names_place(row)]
    if not rows:
        return difference
    first = min(row["first_position"] for row in rows)
    last = min(max(row["last_position"] for row in rows), upto)
    return replace(difference, events=events_between(conn, rows[0]["stream_id"], first, last))


def _names_place(row: Mapping[str, Any]) -> bool:
    return all(row.get(name) is not None for name in _PLACE)


def _behind(event: RecordedEvent) -> EventBehind:
    domain_event = decode(*event)
    return EventBehind(
        event.position, event.stream_id, event.version, event.topic, domain_event.occurred_at, describe(domain_event)
    )
