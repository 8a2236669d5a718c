"""Sequences that are behind what they numbered, as a copy of the rows alone leaves them, are put on to its end."""

from __future__ import annotations

import logging
from collections.abc import Collection

from psycopg import Connection, sql

from adapters.postgres import locks

log = logging.getLogger(__name__)

_NUMBERED = (
    "SELECT o.nspname, s.relname, n.nspname, c.relname, a.attname FROM pg_depend d"
    " JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace o ON o.oid = s.relnamespace"
    " JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid"
    " WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND n.nspname = ANY(%s)"
    " ORDER BY n.nspname, c.relname"
)
_BEHIND = (
    "SELECT max({column}) FROM {table} HAVING max({column}) >= (SELECT last_value + is_called::int FROM {sequence})"
)


def put_on(connection: Connection, schemas: Collection[str]) -> None:
    """Let every sequence of tables in the schemas go on after the last number that is there.

    Logical replication and dumps of rows alone leave sequences behind. An event would get a position before the end of
    the log then, beyond which its readers are, and none of them would ever see it.
    """
    for sequence_schema, sequence_name, schema, table, column in connection.execute(_NUMBERED, [list(schemas)]):
        sequence = sql.Identifier(sequence_schema, sequence_name)
        behind = sql.SQL(_BEHIND).format(
            column=sql.Identifier(column), table=sql.Identifier(schema, table), sequence=sequence
        )
        # A number is taken before its row is there for others to see: a sequence that is used is never behind.
        if connection.execute(behind).fetchone() is None:
            continue
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [locks.APPEND])
            if (last := connection.execute(behind).fetchone()) is not None:
                connection.execute("SELECT setval(%s, %s)", [sequence.as_string(connection), last[0]])
                log.warning("numbers of %s.%s go on after %d: their sequence was behind", schema, table, last[0])
