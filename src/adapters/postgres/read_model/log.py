"""The log as the read models see it: events in the order of the log, and the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection

from application.ports.event_store import RecordedEvent

READER = "analytics"
_LOG_ORDER = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events"
    " WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id LIMIT %s"
)


def read_in_log_order(conn: Connection, after: int, upto: int, limit: int) -> list[RecordedEvent]:
    """Return up to `limit` events after a position and not beyond another, in the order of the log."""
    with conn.cursor(binary=True) as cursor:
        return [RecordedEvent(*row) for row in cursor.execute(_LOG_ORDER, [after, upto, limit])]


def read_head(conn: Connection) -> int:
    """Return the position of the last event, 0 where there is none."""
    return _scalar(conn.execute("SELECT coalesce(max(notification_id), 0) FROM events.stored_events"))


def read_checkpoint(conn: Connection) -> int:
    """Return the position of the live read models, 0 before the first event."""
    query = "SELECT coalesce(max(notification_id), 0) FROM events.notification_tracking WHERE application_name = %s"
    return _scalar(conn.execute(query, [READER]))


def lock_checkpoint(conn: Connection) -> int:
    """Return the checkpoint and hold it until the transaction ends: nobody else applies events meanwhile."""
    conn.execute(
        "INSERT INTO events.notification_tracking (application_name, notification_id) VALUES (%s, 0)"
        " ON CONFLICT (application_name) DO NOTHING",
        [READER],
    )
    query = "SELECT notification_id FROM events.notification_tracking WHERE application_name = %s FOR UPDATE"
    return _scalar(conn.execute(query, [READER]))


def forget_checkpoint(conn: Connection) -> None:
    """Put the read models back to the start of the log, e.g. because their tables are new."""
    conn.execute("DELETE FROM events.notification_tracking WHERE application_name = %s", [READER])


def move_checkpoint(conn: Connection, to: int) -> None:
    """Move the checkpoint, which the transaction holds."""
    conn.execute(
        "UPDATE events.notification_tracking SET notification_id = %s WHERE application_name = %s",
        [to, READER],
    )


def _scalar(rows: Iterable[tuple[int, ...]]) -> int:
    return next(iter(rows))[0]
