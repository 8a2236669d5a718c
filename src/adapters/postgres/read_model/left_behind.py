"""What interrupted rebuilds and verifications left: to be gone on with, or dropped."""

from __future__ import annotations

import logging

from psycopg import Connection

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.made import unnoted
from application.ports.read_model import ReadersInTheWayError
from application.replay.lag import far_behind
from application.replay.shards import Plan

_log = logging.getLogger(__name__)


def resumable(conn: Connection, build: Build, upto: int, *, beyond: int = 0, spared: int = 0) -> Plan | None:
    """Return the build that an interrupted rebuild or verification left; drop what can't be used any more.

    It is gone on with if this very code began it, beyond one position and not beyond `upto`, nor so far from there that
    a new one is faster. Shards that failed are tried again. What lies beyond `upto` up to `spared` is left for later.
    """
    usable = None
    for name in _left(conn):
        plan = _sound(conn, build, name)
        if plan is not None and upto < plan.upto <= spared:
            continue
        if plan is not None and usable is None and beyond < plan.upto <= upto and not far_behind(plan.upto, upto):
            usable = plan
        else:
            _drop(conn, name)
    if usable is not None:
        planning.retry_failed(conn, usable.name)
    if names := unnoted(conn, build.made):
        _log.warning(
            "left alone, for no build is noted that made them: the schemas %s; where a rebuild by an earlier version"
            " left them, drop them",
            ", ".join(names),
        )
    return usable


def drop_left(conn: Connection) -> None:
    """Drop what interrupted rebuilds and verifications left, whether it could be gone on with or not."""
    for name in _left(conn):
        _drop(conn, name)


def _drop(conn: Connection, name: str) -> None:
    """Drop a build; what somebody reads is left for the next time."""
    try:
        planning.drop_build(conn, name)
    except ReadersInTheWayError as error:
        _log.warning("what another rebuild left is not dropped yet: %s", error)


def _left(conn: Connection) -> list[str]:
    query = "SELECT name FROM replay.builds WHERE purpose IN ('rebuild', 'verify', 'left') ORDER BY started_at DESC"
    return [name for (name,) in conn.execute(query)]


def _sound(conn: Connection, build: Build, name: str) -> Plan | None:
    """Return the plan of a build that this very code began, and whose schemas are there."""
    plan = planning.find_plan(conn, name)
    if plan is None or plan.purpose == "left" or plan.code_version != planning.version_of(build):
        return None
    return plan if planning.stands(conn, name) else None
