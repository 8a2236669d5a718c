"""Plan a build: a row in `replay.builds`, its shards, its schemas and empty silver tables, in one transaction.

Everything here can be done on any machine that reaches the database.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from psycopg import Connection
from psycopg.errors import DuplicateSchema
from psycopg.rows import class_row

from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.made import LIVE_BUILD, note_relations, note_schemas, schemas_of
from adapters.postgres.read_model.schemas import LIVE, OLD, Schemas, drop_schemas, new_build_name
from application.ports.read_model import SchemaInTheWayError
from application.ports.rebuild_steps import ShardsMissingError
from application.replay.code_version import code_version
from application.replay.shards import BuildPurpose, Plan, Shard, ShardDone

_log = logging.getLogger(__name__)
UNKNOWN = "unknown"
"""The version of code that nobody noted."""
SAMPLE = 20_000
"""Events that are looked at, to cut the log into shards of about equal size."""
SOURCES = ("domain", "application", "adapters.postgres")
"""What makes events into rows."""
_COLUMNS = "name, purpose, position AS upto, recorded_until, code_version"
_SHARD_COLUMNS = "s.build, s.number, s.first_stream, s.end_stream, b.position AS upto"


def plan(
    conn: Connection,
    build: Build,
    *,
    name: str,
    purpose: BuildPurpose,
    upto: int,
    shards: int,
    recorded_until: datetime | None = None,
) -> Plan:
    """Plan a build of the events up to a position into the schemas `silver_<name>` and `gold_<name>`.

    The position must be one that was read as the log's head or somebody's checkpoint: whoever appends holds one
    lock from before positions are assigned to the commit, so events at or below it can neither be added nor be
    still uncommitted. Therefore shards may be read at any time, in transactions of their own, without a common
    snapshot, and make up one state of the log.

    Raises:
        psycopg.errors.UniqueViolation: there is a build of that name.
        SchemaInTheWayError: somebody else has a schema of that name.
    """
    bounds = _bounds(conn, upto, shards)
    with conn.transaction():
        conn.execute(
            "INSERT INTO replay.builds (name, purpose, position, recorded_until, code_version, made)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [name, purpose, upto, recorded_until, version_of(build), build.made],
        )
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO replay.shards (build, number, first_stream, end_stream) VALUES (%s, %s, %s, %s)",
                [(name, number, *bound) for number, bound in enumerate(zip(bounds, [*bounds[1:], None], strict=True))],
            )
        try:
            build.create_silver(conn, Schemas.named(name))
        except DuplicateSchema as error:
            raise SchemaInTheWayError(f"{error.diag.message_primary}, and is of no build") from error
        note_schemas(conn, name, Schemas.named(name))
    found = find_plan(conn, name)
    assert found is not None
    return found


def version_of(build: Build) -> str:
    """Return the version of the code, with a digest of the tables that the build is made of."""
    tables = repr((build.gold, [(table.table.name, table.table.columns) for table in build.silver.values()]))
    return f"{code_version(*SOURCES)}.{sha256(tables.encode()).hexdigest()[:8]}"


def find_plan(conn: Connection, name: str) -> Plan | None:
    """Return the plan of a build, None where there is none of that name."""
    query = f"SELECT {_COLUMNS} FROM replay.builds WHERE name = %s"
    row = conn.execute(query.encode(), [name]).fetchone()
    if row is None:
        return None
    values: list[Any] = [*row, tuple(_shards(conn, name))]
    return Plan(*values)


def missing_shards(conn: Connection, name: str) -> list[Shard]:
    """Return the shards of a build that are still to be done, in order."""
    return _shards(conn, name, "AND done_at IS NULL")


def require_loaded(conn: Connection, plan: Plan) -> None:
    """Check that no shard of a build is missing; raises ShardsMissingError."""
    if missing := missing_shards(conn, plan.name):
        raise ShardsMissingError(f"{len(missing)} of {len(plan.shards)} shards of {plan.name} are not loaded")


def claim_missing(conn: Connection, name: str, begin: float = 0.0) -> Shard | None:
    """Return a missing shard that nobody else has until the transaction ends; None where none is missing.

    The first one from where a part of all shards is left out, the part that others `begin` with. So each of them
    writes rows that lie in the order of their keys, which makes indexes faster. Where others have all that are
    missing, wait for one: whoever has it may die.
    """
    first = f"s.number < {begin} * (SELECT count(*) FROM replay.shards WHERE build = b.name)"
    for wait in ("SKIP LOCKED", ""):
        missing = _shards(
            conn, name, "AND done_at IS NULL AND error IS NULL", f"LIMIT 1 FOR UPDATE OF s {wait}", f"{first}, s.number"
        )
        if missing:
            return missing[0]
    return None


def claim(conn: Connection, shard: Shard) -> ShardDone | None:
    """Keep others from a shard until the transaction ends; return what came of it, None where it is missing."""
    which = "FROM replay.shards WHERE build = %s AND number = %s"
    key = [shard.build, shard.number]
    conn.execute(f"SELECT number {which} FOR UPDATE".encode(), key)
    with conn.cursor(row_factory=class_row(ShardDone)) as cursor:
        query = f"SELECT build, number, events, seconds, peak_mb {which} AND done_at IS NOT NULL"
        return cursor.execute(query.encode(), key).fetchone()


def mark_done(conn: Connection, done: ShardDone) -> None:
    """Note, in the transaction of its rows, that a shard is done."""
    conn.execute(
        "UPDATE replay.shards SET events = %s, seconds = %s, peak_mb = %s, done_at = clock_timestamp(), error = NULL"
        " WHERE build = %s AND number = %s",
        [done.events, done.seconds, done.peak_mb, done.build, done.number],
    )


def mark_failed(conn: Connection, shard: Shard, error: str) -> None:
    """Keep why a shard can't be done; nobody tries it again, until the build is resumed."""
    conn.execute(
        "UPDATE replay.shards SET error = %s WHERE build = %s AND number = %s", [error, shard.build, shard.number]
    )


def retry_failed(conn: Connection, name: str) -> None:
    """Let the shards of a build that could not be done be tried again."""
    conn.execute("UPDATE replay.shards SET error = NULL WHERE build = %s", [name])


def failed_shard(conn: Connection, name: str) -> Shard | None:
    """Return the first shard of a build that can't be done, None where none failed."""
    return next(iter(_shards(conn, name, "AND error IS NOT NULL")), None)


def steps_done(conn: Connection, name: str, stage: int) -> set[int]:
    """Return the numbers of a stage's steps that are done."""
    return {
        number
        for (number,) in conn.execute("SELECT step FROM replay.steps WHERE build = %s AND stage = %s", [name, stage])
    }


def mark_step_done(conn: Connection, name: str, stage: int, number: int) -> None:
    """Note, in the transaction of its work, that a step is done."""
    conn.execute("INSERT INTO replay.steps (build, stage, step) VALUES (%s, %s, %s)", [name, stage, number])


def mark_ready(conn: Connection, name: str) -> None:
    """Note that a build is complete up to its position, and what is in it."""
    note_relations(conn, name, Schemas.named(name))
    conn.execute("UPDATE replay.builds SET status = 'ready', ready_at = clock_timestamp() WHERE name = %s", [name])


def advance(conn: Connection, name: str, position: int) -> None:
    """Note, in the transaction that applies events to a build, how far it is."""
    conn.execute("UPDATE replay.builds SET position = %s WHERE name = %s", [position, name])


def is_ready(conn: Connection, name: str) -> bool:
    """Tell whether a build is complete up to its position."""
    row = conn.execute("SELECT status = 'ready' FROM replay.builds WHERE name = %s", [name]).fetchone()
    return row is not None and row[0]


def events_done(conn: Connection, name: str) -> int:
    """Count the events of the shards that are done."""
    row = conn.execute("SELECT coalesce(sum(events), 0)::bigint FROM replay.shards WHERE build = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


def note_live(conn: Connection, build: Build) -> None:
    """Note that live tables were made, by this code, at the start of the log."""
    conn.execute("DELETE FROM replay.builds WHERE name = %s", [LIVE_BUILD])
    conn.execute(
        "INSERT INTO replay.builds (name, purpose, position, status, code_version, made)"
        " VALUES (%s, 'live', 0, 'ready', %s, %s)",
        [LIVE_BUILD, version_of(build), build.made],
    )


def note_swap(conn: Connection, name: str, position: int, kept_at: int) -> None:
    """Note, in the transaction that swaps, that a build becomes the live one, and the live one the old.

    `kept_at` is where the live one stands: before the first event it is not at the position of the build.
    """
    conn.execute(
        "INSERT INTO replay.builds (name, purpose, position, status, code_version) VALUES (%s, 'live', 0, 'ready', %s)"
        " ON CONFLICT DO NOTHING",
        [LIVE_BUILD, UNKNOWN],
    )
    note_relations(conn, LIVE_BUILD, LIVE)
    note_schemas(conn, LIVE_BUILD, LIVE)
    if name != OLD:
        conn.execute("UPDATE replay.builds SET planned_as = name WHERE name = %s", [name])
    renamed = ((LIVE_BUILD, "", "kept", kept_at), (name, LIVE_BUILD, "live", position), ("", OLD, "kept", kept_at))
    for old, new, purpose, at in renamed:
        conn.execute(
            "UPDATE replay.builds SET name = %s, purpose = %s, position = %s WHERE name = %s", [new, purpose, at, old]
        )


def put_in_place_at(conn: Connection, name: str) -> int | None:
    """Return where a build stands that was swapped in, while it is live or kept; None where none has the name."""
    row = conn.execute("SELECT position FROM replay.builds WHERE planned_as = %s", [name]).fetchone()
    return None if row is None else int(row[0])


def stands(conn: Connection, name: str) -> bool:
    """Tell whether both schemas of a build aside are there, and its own."""
    return schemas_of(conn, name) == [*Schemas.named(name)]


def drop_build(conn: Connection, name: str) -> None:
    """Drop the schemas that a build made, and forget it; safe where it does not exist.

    Schemas of somebody else that have their names are left alone, and named in a warning.

    Raises:
        DependentObjectsError: something else hangs on them, or is in them; nothing is dropped.
        ReadersInTheWayError: somebody read them for a minute; nothing is dropped.
    """
    with conn.transaction():
        own = schemas_of(conn, name)
        drop_schemas(conn, own)
        known = conn.execute("DELETE FROM replay.builds WHERE name = %s", [name]).rowcount
        others = [schema for schema in Schemas.named(name).there(conn) if schema not in own]
    if known and others:
        _log.warning("left alone, for %s did not make what has the names: the schemas %s", name, ", ".join(others))


def part_with(conn: Connection, name: str) -> str | None:
    """Give a build, whose schemas are its own, a name under which it is dropped sooner or later; return that name.

    It takes no lock on its tables, so it fits into the transaction that puts another one in its place. None where
    there is no such build.
    """
    schemas = Schemas.named(name)
    if not schemas.there(conn):
        conn.execute("DELETE FROM replay.builds WHERE name = %s", [name])
        return None
    leftover = new_build_name()
    note_schemas(conn, name, schemas)
    conn.execute(
        "UPDATE replay.builds SET name = %s, purpose = 'left', planned_as = NULL WHERE name = %s", [leftover, name]
    )
    schemas.rename(conn, Schemas.named(leftover))
    return leftover


def _shards(conn: Connection, name: str, where: str = "", end: str = "", order: str = "s.number") -> list[Shard]:
    query = (
        f"SELECT {_SHARD_COLUMNS} FROM replay.shards s JOIN replay.builds b ON b.name = s.build"
        f" WHERE s.build = %s {where} ORDER BY {order} {end}"
    )
    with conn.cursor(row_factory=class_row(Shard)) as cursor:
        return cursor.execute(query.encode(), [name]).fetchall()


def _bounds(conn: Connection, upto: int, shards: int) -> Sequence[str]:
    """Return the first stream of each shard; the first is before all streams.

    A sample of pages tells where the events are: a stream counts as often as it has events. There are no more shards
    than events in it.
    """
    percent = min(100.0, 100.0 * SAMPLE / max(upto, 1))
    query = (
        "SELECT originator_id FROM events.stored_events TABLESAMPLE SYSTEM (%s) WHERE notification_id <= %s ORDER BY 1"
    )
    sample: list[Any] = [row[0] for row in conn.execute(query, [percent, upto])]
    shards = min(shards, len(sample))
    cuts = {sample[len(sample) * number // shards] for number in range(1, shards)}
    return ["", *sorted(cuts - set(sample[:1]))]
