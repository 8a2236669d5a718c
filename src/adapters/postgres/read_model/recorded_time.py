"""Recorded time: up to which position the log was known at some moment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import Connection

from application.ports.builds import InvalidMomentError

_RECORDED = "(convert_from(state, 'UTF8')::json #>> '{meta,recorded_at}')::timestamptz"
_LAST = (
    f"SELECT notification_id, {_RECORDED} IS NULL FROM events.stored_events"
    f" WHERE ({_RECORDED} <= %s) IS NOT FALSE ORDER BY notification_id DESC LIMIT 1"
)
_AHEAD = f"SELECT count(*) FROM events.stored_events WHERE notification_id <= %s AND {_RECORDED} > %s"


class Known(NamedTuple):
    """What was known at a moment: all events up to a position, `ahead` of which name a later time."""

    position: int
    ahead: int


def known_at(conn: Connection, moment: datetime) -> Known:
    """Return the position of the last event recorded at or before a moment, 0 where there is none.

    Clocks of several writers need not agree, so recorded times need not grow with positions: the log is searched
    from its end, and what lies before the event that is found counts, whatever time it names.

    Raises:
        InvalidMomentError: an event behind it does not say when it was recorded: it may have been known.
    """
    try:
        position, is_unknown = conn.execute(_LAST, [moment]).fetchone() or (0, False)
        if is_unknown:
            raise InvalidMomentError(
                f"the event at position {position:,} does not say when it was recorded; give a position instead"
            )
        (ahead,) = next(conn.execute(_AHEAD, [position, moment]))
    except psycopg.DataError as error:
        raise InvalidMomentError(
            f"an event does not say when it was recorded ({str(error).splitlines()[0]}); give a position instead"
        ) from error
    return Known(position, ahead)
