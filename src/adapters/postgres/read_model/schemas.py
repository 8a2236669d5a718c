"""Where a build of the read models lives: a pair of schemas, live or aside."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import LiteralString, NamedTuple

from psycopg import Connection, errors, sql

from application.ports.read_model import DependentObjectsError, ReadersInTheWayError

PATIENCE = 60.0
"""Seconds to wait for those who read what is swapped or dropped: a transaction that is left open reads for ever."""
_VIEWS = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'v' AND relnamespace = ANY(%s::regnamespace[])"
_TABLES = _VIEWS.replace("'v'", "'r'")
_READERS = """
SELECT DISTINCT xact_start, format(
    'session %%s (%%s)', a.pid, coalesce(nullif(application_name, ''), backend_type, 'without a name')) || coalesce(
    ', in a transaction since ' || to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', ''
) || coalesce(', ' || state, '')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.relation = ANY(%s::regclass[]) AND l.pid <> pg_backend_pid()
ORDER BY 1, 2 LIMIT 5
"""
_FUNCTIONS = (
    "SELECT oid::regprocedure::text FROM pg_proc WHERE prokind = 'f' AND proname = 'member_key'"
    " AND pronamespace = ANY(%s::regnamespace[])"
)


class Schemas(NamedTuple):
    """The schemas of one build."""

    silver: str
    gold: str

    @classmethod
    def named(cls, build: str) -> Schemas:
        """Return the schemas of a build by its name."""
        return cls(f"silver_{build}", f"gold_{build}")

    @classmethod
    def aside(cls) -> Schemas:
        """Return new names for a build aside."""
        return cls.named(new_build_name())

    def exist(self, conn: Connection) -> bool:
        """Tell whether both schemas exist."""
        return self.there(conn) == [*self]

    def there(self, conn: Connection) -> list[str]:
        """Return those of the two that exist: somebody may have dropped one of them."""
        names = _schema_names(conn)
        return [name for name in self if name in names]

    def create(self, conn: Connection) -> None:
        """Create both schemas."""
        self._each(conn, "CREATE SCHEMA {}")

    def rename(self, conn: Connection, to: Schemas) -> None:
        """Give the schemas that exist new names; views follow their tables."""
        there = self.there(conn)
        for own, other in zip(self, to, strict=True):
            if own in there:
                conn.execute(_renaming(own, other))

    def renaming(self, to: Schemas) -> sql.Composed:
        """Return the statements that give both schemas new names."""
        return sql.SQL("; ").join([_renaming(*names) for names in zip(self, to, strict=True)])

    def use(self, conn: Connection) -> None:
        """Resolve unqualified names to this build's tables, silver before gold, until the transaction ends."""
        conn.execute("SELECT set_config('search_path', %s, true)", [f"{self.silver}, {self.gold}"])

    def _each(self, conn: Connection, statement: LiteralString) -> None:
        for schema in self:
            conn.execute(sql.SQL(statement).format(sql.Identifier(schema)))


LIVE = Schemas("silver", "gold")
OLD = "old"
"""The name of the build that was live before the last swap."""


def new_build_name() -> str:
    """Return a new name for a build aside."""
    return f"build_{secrets.token_hex(4)}"


def drop_schemas(conn: Connection, names: Collection[str]) -> None:
    """Drop schemas of a build, where they exist, with their tables, views and functions, and nothing that is others'.

    Raises:
        DependentObjectsError: something else hangs on them, or is in them; nothing is dropped.
        ReadersInTheWayError: somebody read them for `PATIENCE` seconds; nothing is dropped.
    """
    there = sorted({*names} & {*_schema_names(conn)})
    if not there:
        return
    try:
        with conn.transaction():
            conn.execute(f"SET LOCAL search_path = pg_catalog; SET LOCAL lock_timeout = '{PATIENCE}s'".encode())
            for kind, query in ((b"VIEW", _VIEWS), (b"TABLE", _TABLES), (b"FUNCTION", _FUNCTIONS)):
                found = [name for (name,) in conn.execute(query.encode(), [there])]
                # In one statement, since they hang on each other; without CASCADE, so on nobody else's.
                if found:
                    conn.execute(b"DROP " + kind + b" " + ", ".join(found).encode())
            conn.execute(sql.SQL("DROP SCHEMA {}").format(sql.SQL(", ").join(map(sql.Identifier, there))))
    except errors.DependentObjectsStillExist as error:
        said = (error.diag.message_detail or str(error)).replace("\n", "; ")
        raise DependentObjectsError(f"{said}: drop these first. {DependentObjectsError.__doc__}") from error
    except errors.LockNotAvailable as error:
        holders = held_by(conn, [name for (name,) in conn.execute(_TABLES.encode(), [there])])
        raise ReadersInTheWayError(
            f"transactions that go on have read {', '.join(there)}, so that they can't be dropped: end these first"
            + (f": {holders}" if holders else "")
        ) from error


def held_by(conn: Connection, tables: Collection[str]) -> str:
    """Return the sessions that hold tables in some mode, the oldest transaction first; "" where there is none."""
    return "; ".join(who for _, who in conn.execute(_READERS, [list(tables)]))


def table_names(conn: Connection, schema: str) -> list[str]:
    """Return the names of a schema's tables, in order."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1"
    return [name for (name,) in conn.execute(query, [schema])]


def view_definitions(conn: Connection, schemas: Schemas) -> dict[str, str]:
    """Return the views of a build's gold as SQL, all as if they were in the live schemas."""
    query = "SELECT viewname, definition FROM pg_views WHERE schemaname = %s"
    definitions = dict[str, str](conn.execute(query, [schemas.gold]).fetchall())
    for own, name in zip(schemas, LIVE, strict=True):
        definitions = {view: text.replace(f"{own}.", f"{name}.") for view, text in definitions.items()}
    return definitions


def _renaming(own: str, to: str) -> sql.Composed:
    return sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(own), sql.Identifier(to))


def _schema_names(conn: Connection) -> list[str]:
    return [name for (name,) in conn.execute("SELECT nspname FROM pg_namespace ORDER BY 1")]
