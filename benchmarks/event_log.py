"""A log to rebuild from: generated messages taken in, and their streams repeated under other ids by SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.topic_log import PostgresTopicLog
from application.ingest.publishing import publish_all
from application.ingest.service import Ingest
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages

_COLUMNS = "originator_id, originator_version, topic, state"
# Orders and shipments come again under other ids, which their events name too. Stocks go on: the same movements on
# the same days once more, so that there are as many products, places and days as in a log that was generated whole.
_REPEAT = f"""
WITH ends AS (
    SELECT originator_id, max(originator_version) AS last_version FROM events.stored_events
    WHERE notification_id <= %(upto)s AND originator_id LIKE 'inventory-%%' GROUP BY originator_id
)
INSERT INTO events.stored_events ({_COLUMNS})
SELECT
    CASE WHEN last_version IS NULL THEN e.originator_id || '.' || %(round)s::int ELSE e.originator_id END,
    originator_version + coalesce(last_version * %(round)s::int, 0),
    topic,
    convert_to(regexp_replace(
        convert_from(state, 'UTF8'), '("(?:order|shipment)_id":"[^"]*)"', '\\1.' || %(round)s::int || '"', 'g'), 'UTF8')
FROM events.stored_events e LEFT JOIN ends ON ends.originator_id = e.originator_id
WHERE notification_id <= %(upto)s AND e.originator_id ~ '^(order|shipment|inventory)-'
ORDER BY notification_id
"""


def fill(conninfo: str, orders: int, rounds: int, days_ago: int = 91) -> int:
    """Fill a fresh database's log: so many generated orders with all that follows, `rounds` times; count the events.

    The first order is placed `days_ago` days ago.
    """
    settings = SimulationSettings(start=datetime.now(UTC) - timedelta(days=days_ago), orders=orders)
    store = PostgresEventStore(conninfo)
    with open_pool(conninfo) as pool:
        stream = PostgresTopicLog(pool, conninfo)
        publish_all(stream, messages(settings))
        Ingest(store, PostgresInbox(pool), stream, lambda: datetime.now(UTC)).catch_up()
        stream.close()
    upto = store.head()
    store.close()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for round_ in range(1, rounds):
            connection.execute(_REPEAT.encode(), {"round": round_, "upto": upto})
        connection.execute("VACUUM ANALYZE events.stored_events")
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT count(*) FROM events.stored_events").fetchone()
    assert row is not None
    return int(row[0])


def copy_out(conninfo: str) -> None:
    """Read the whole log in its order, without looking at it."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        query = f"COPY (SELECT {_COLUMNS} FROM events.stored_events ORDER BY notification_id) TO STDOUT (FORMAT BINARY)"
        with cursor.copy(query.encode()) as copy:
            for _ in copy:
                pass


def parts(conninfo: str, upto: int, size: int) -> tuple[list[bytes], int]:
    """Return the log up to a position as binary COPY data, up to `size` events in each part, and their number."""
    found, events = [], 0
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        for start in range(1, upto + 1, size):
            query = (
                f"COPY (SELECT {_COLUMNS} FROM events.stored_events WHERE notification_id BETWEEN {start}"
                f" AND {min(start + size - 1, upto)} ORDER BY notification_id) TO STDOUT (FORMAT BINARY)"
            )
            with cursor.copy(query.encode()) as copy:
                found.append(b"".join(bytes(block) for block in copy))
            events += cursor.rowcount
    return found, events


def copy_in(conninfo: str, log: list[bytes]) -> None:
    """Write parts of a log into a fresh one, each in a transaction."""
    with psycopg.connect(conninfo, autocommit=True) as connection, connection.cursor() as cursor:
        for part in log:
            with cursor.copy(f"COPY events.stored_events ({_COLUMNS}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
                copy.write(part)
