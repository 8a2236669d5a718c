"""Finish a build whose shards are done: index silver, select gold from it, gather statistics."""

from __future__ import annotations

from psycopg import Connection

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.schemas import Schemas


def finish(conn: Connection, build: Build, name: str) -> None:
    """Make a build complete up to its position; where it is already, do nothing."""
    if planning.is_ready(conn, name):
        return
    with conn.transaction():
        build.finish(conn, Schemas.named(name))
        planning.mark_ready(conn, name)
