"""What schemas, tables and views a build made, as it noted them in `replay.builds`: they go under no other name."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from psycopg import Connection

from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.schemas import Schemas

LIVE_BUILD = "live"
"""The row of the build that is in silver and gold."""
_COUNT = "relations[1] = 'replay.builds'::regclass"
_OWN = "schemas[1] = 'replay'::regnamespace"
_ASIDE = "'^(silver|gold)_(build_[0-9a-f]{8})$'"
_NOTE_SCHEMAS = """
UPDATE replay.builds SET schemas = 'replay'::regnamespace::oid || ARRAY(
    SELECT oid FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY oid)
WHERE name = %s
"""
_SCHEMAS_OF = f"""
SELECT nspname FROM pg_namespace n JOIN replay.builds b ON b.name = %(name)s
WHERE nspname = ANY(%(own)s) AND CASE WHEN {_OWN} THEN n.oid = ANY(schemas)
    ELSE made IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid) OR EXISTS (
        SELECT FROM pg_class WHERE relnamespace = n.oid
        AND split_part(nspname, '_', 1) || '.' || relname = ANY(made)) END
ORDER BY nspname = %(gold)s
"""
_UNNOTED = f"""
SELECT nspname FROM pg_namespace n
WHERE nspname ~ {_ASIDE} AND NOT EXISTS (SELECT FROM replay.builds WHERE name = substring(nspname FROM '_(.*)'))
    AND EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid
        AND split_part(nspname, '_', 1) || '.' || relname = ANY(%s))
ORDER BY 1
"""
_NOTE = """
UPDATE replay.builds SET relations = 'replay.builds'::regclass::oid || ARRAY(
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = ANY(%s) AND relkind IN ('r', 'v') ORDER BY c.oid)
WHERE name = %s
"""
_MADE = f"""
SELECT CASE WHEN made IS NOT NULL AND {_COUNT} AND name <> '{LIVE_BUILD}' THEN ARRAY(
    SELECT part FROM unnest(made) AS part
    WHERE to_regclass(format('%%I.%%I', split_part(part, '.', 1) || '_' || name, split_part(part, '.', 2)))
        = ANY(relations))
ELSE made END FROM replay.builds WHERE name = %s
"""
_NOT_OF = f"""
SELECT nspname FROM pg_namespace n WHERE nspname = ANY(%(own)s) AND NOT EXISTS (
    SELECT FROM replay.builds b JOIN pg_class c ON c.relnamespace = n.oid
    WHERE b.name = %(name)s AND CASE WHEN {_COUNT} THEN c.oid = ANY(relations)
    ELSE split_part(nspname, '_', 1) || '.' || relname = ANY(coalesce(made, %(defined)s)) END)
ORDER BY nspname = %(gold)s
"""


def names(silver: Iterable[str], gold: Iterable[GoldDefinition]) -> list[str]:
    """Return the tables and views of a build, as `silver.<name>` or `gold.<name>` whatever its schemas are called."""
    tables = [f"silver.{name}" for name in silver]
    for definition in gold:
        tables.append(f"gold.{definition.name}")
        if definition.materialized:
            tables.append(f"silver.{definition.name}_source")
    return tables


def made_by(conn: Connection, name: str) -> list[str] | None:
    """Return the tables and views that a build made, None where it is of a version that did not note them.

    Those in schemas aside are without what was dropped since, whatever has its name now.
    """
    row = conn.execute(_MADE.encode(), [name]).fetchone()
    return None if row is None else row[0]


def note_schemas(conn: Connection, name: str, schemas: Schemas) -> None:
    """Note which schemas are those of a build, whatever has their names later."""
    conn.execute(_NOTE_SCHEMAS, [list(schemas), name])


def schemas_of(conn: Connection, name: str) -> list[str]:
    """Return the schemas aside that a build made, none of somebody else that has the name of one.

    Where their ids were not noted, or don't count, one that is empty or has a table of the build's names is its own.
    """
    own = Schemas.named(name)
    values = {"own": list(own), "gold": own.gold, "name": name}
    return [schema for (schema,) in conn.execute(_SCHEMAS_OF.encode(), values)]


def unnoted(conn: Connection, defined: Collection[str]) -> list[str]:
    """Return the schemas that are named like those of a rebuild, have a table that is `defined`, and are of no build.

    An earlier version that was killed left such ones; or somebody else made them.
    """
    return [schema for (schema,) in conn.execute(_UNNOTED.encode(), [list(defined)])]


def note_relations(conn: Connection, name: str, schemas: Schemas) -> None:
    """Note which tables and views are now those of a build, whatever has their names later."""
    conn.execute(_NOTE, [list(schemas), name])


def schemas_not_of(conn: Connection, name: str, defined: Collection[str]) -> list[str]:
    """Return the schemas that have the names of a build's aside, and hold nothing that it made: they are others'.

    Of a build that did not note its tables and views, what has the name of one counts, or of those `defined` now.
    """
    schemas = Schemas.named(name)
    values = {"own": list(schemas), "gold": schemas.gold, "name": name, "defined": list(defined)}
    return [schema for (schema,) in conn.execute(_NOT_OF.encode(), values)]
