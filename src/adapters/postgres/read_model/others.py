"""What others made of the tables of a build, or within its schemas: named before it is lost."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import Connection

from adapters.postgres.read_model.schemas import Schemas

_OWN = "nspname = ANY(%(own)s)"
_DEPENDENTS = f"""
WITH held AS (
    SELECT 'pg_class'::regclass AS classid, c.oid, c.oid::regclass::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE {_OWN} AND relkind NOT IN ('i', 't')
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, t.oid::regtype::text
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE {_OWN}
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, p.oid::regprocedure::text
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {_OWN}
)
SELECT DISTINCT
    CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
    ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END, held.name
FROM held
JOIN pg_depend d ON d.refclassid = held.classid AND d.refobjid = held.oid AND d.deptype = 'n'
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
CROSS JOIN pg_identify_object_as_address(d.classid, d.objid, d.objsubid) AS a
WHERE a.object_names[1] <> ALL(%(own)s)
ORDER BY 1, 2
"""
# A build notes the tables and views that it makes. One of a version that did not is judged by what can be seen: of what
# no definition has, tables of gold have a view in silver that gives their rows, and such views have their table; tables
# of silver hold what events of streams came to; views of gold have a comment. Views of gold are compared by the
# certificate, where there is one. The rest is of kinds that no build makes.
_WITHIN = f"""
WITH own AS (SELECT oid FROM pg_namespace WHERE {_OWN}),
tables AS (SELECT oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM own))
SELECT pg_describe_object(classid, oid, 0) FROM (
    SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite
    WHERE rulename <> '_RETURN' AND ev_class IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 'pg_publication_rel'::regclass, oid FROM pg_publication_rel WHERE prrelid IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 'pg_publication_namespace'::regclass, oid FROM pg_publication_namespace
    WHERE pnnspid IN (SELECT oid FROM own)
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE {_OWN} AND (relkind IN ('m', 'S', 'f', 'c', 'p') OR relkind IN ('r', 'v')
        AND NOT (relkind = 'v' AND nspname <> %(silver)s AND %(compared)s)
        AND CASE nspname WHEN %(silver)s THEN 'silver.' ELSE 'gold.' END || relname <> ALL(%(made)s)
        AND (%(noted)s OR CASE
            WHEN relkind = 'r' AND nspname = %(silver)s THEN 3 > (SELECT count(*) FROM pg_attribute
                WHERE attrelid = c.oid AND attname IN ('stream_id', 'first_position', 'last_position'))
            WHEN relkind = 'r' THEN NOT EXISTS (SELECT FROM pg_class v
                WHERE v.relnamespace = to_regnamespace(%(silver)s) AND v.relkind = 'v'
                AND v.relname = c.relname || '_source')
            WHEN nspname = %(silver)s THEN NOT EXISTS (SELECT FROM pg_class t
                WHERE t.relnamespace = ANY(SELECT oid FROM own) AND t.relnamespace <> c.relnamespace
                AND t.relkind = 'r' AND t.relname || '_source' = c.relname)
            ELSE obj_description(c.oid, 'pg_class') IS NULL END))
    UNION ALL
    SELECT 'pg_proc'::regclass, oid FROM pg_proc
    WHERE pronamespace IN (SELECT oid FROM own) AND proname <> 'member_key'
    UNION ALL
    SELECT 'pg_type'::regclass, oid FROM pg_type
    WHERE typnamespace IN (SELECT oid FROM own) AND typtype IN ('e', 'd', 'r')
) AS made (classid, oid) ORDER BY 1
"""
_PARTS = """
SELECT 'index ' || i.indexrelid::regclass || ' on ' || i.indrelid::regclass, c.relname || ' ' || t.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND conrelid = i.indrelid)
UNION ALL
SELECT 'constraint ' || conname || ' on ' || t.oid::regclass, conname || ' ' || t.relname
FROM pg_constraint JOIN pg_class t ON t.oid = conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'statistics ' || stxnamespace::regnamespace || '.' || stxname, stxname || ' ' || t.relname
FROM pg_statistic_ext JOIN pg_class t ON t.oid = stxrelid WHERE t.relnamespace = to_regnamespace(%(schema)s)
ORDER BY 1
"""


def dependents(conn: Connection, schemas: Schemas) -> list[str]:
    """Return what stands in other schemas and hangs on a build, each with what it hangs on.

    Views and materialised views, foreign keys, functions, policies: whatever the server would drop with the build.
    """
    with conn.transaction():
        say_schemas(conn)
        found = conn.execute(_DEPENDENTS.encode(), {"own": list(schemas)}).fetchall()
    return [f"{dependent} (on {held})" for dependent, held in found]


def made_within(
    conn: Connection, schemas: Schemas, noted: Collection[str] | None, defined: Collection[str], *, compared: bool
) -> list[str]:
    """Return what others made within the schemas of a build: tables, triggers, rules, kinds that no build has.

    `noted` are the tables and views that the build made itself, None where it did not note them: then those that are
    `defined` now, and what looks like a build's. Views of gold count where they are not `compared` with a build's.
    """
    values = {
        "own": list(schemas),
        "silver": schemas.silver,
        "made": list(defined if noted is None else noted),
        "noted": noted is not None,
        "compared": compared,
    }
    with conn.transaction():
        say_schemas(conn)
        found = conn.execute(_WITHIN.encode(), values).fetchall()
    return [what for (what,) in found]


def parts_without_equal(conn: Connection, live: Schemas, aside: Schemas) -> list[str]:
    """Return the indexes, constraints and extended statistics of live tables that those aside don't have."""
    with conn.transaction():
        say_schemas(conn)
        ours, theirs = (
            [part for schema in side for part in conn.execute(_PARTS.encode(), {"schema": schema}).fetchall()]
            for side in (live, aside)
        )
    known = {name for _, name in theirs}
    return [what for what, name in ours if name not in known]


def say_schemas(conn: Connection) -> None:
    """Let the server name everything with its schema, until the transaction ends."""
    conn.execute("SET LOCAL search_path = pg_catalog")
