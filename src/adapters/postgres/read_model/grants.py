"""Grants: who may read the live tables may read those that take their place."""

from __future__ import annotations

from psycopg import Connection

from adapters.postgres.read_model.schemas import Schemas

_TO = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END"
_ON_SCHEMA = f"""
SELECT format('GRANT %%s ON SCHEMA %%I TO %%s', privilege_type, %(to)s::text, {_TO})
FROM pg_namespace, aclexplode(nspacl) WHERE nspname = %(from)s
"""
_ON_TABLES = f"""
SELECT format('GRANT %%s ON TABLE %%I.%%I TO %%s', privilege_type, %(to)s::text, old.relname, {_TO})
FROM pg_class old
JOIN pg_class new ON new.relname = old.relname AND new.relnamespace = to_regnamespace(%(to)s),
     aclexplode(old.relacl)
WHERE old.relnamespace = to_regnamespace(%(from)s) AND old.relkind IN ('r', 'v')
"""
_ON_COLUMNS = f"""
SELECT format('GRANT %%s (%%I) ON TABLE %%I.%%I TO %%s', privilege_type, own.attname, %(to)s::text, old.relname, {_TO})
FROM pg_class old
JOIN pg_attribute own ON own.attrelid = old.oid AND NOT own.attisdropped
JOIN pg_class new ON new.relname = old.relname AND new.relnamespace = to_regnamespace(%(to)s)
JOIN pg_attribute other ON other.attrelid = new.oid AND other.attname = own.attname AND NOT other.attisdropped,
     aclexplode(own.attacl)
WHERE old.relnamespace = to_regnamespace(%(from)s) AND old.relkind IN ('r', 'v')
"""


def copy_grants(conn: Connection, live: Schemas, aside: Schemas) -> None:
    """Repeat the grants on the live schemas, tables and columns for those aside that have the same names."""
    for source, target in zip(live, aside, strict=True):
        for query in (_ON_SCHEMA, _ON_TABLES, _ON_COLUMNS):
            for (grant,) in conn.execute(query.encode(), {"from": source, "to": target}).fetchall():
                conn.execute(grant)
