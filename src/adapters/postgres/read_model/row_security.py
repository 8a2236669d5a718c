"""Row security: which rows of the live tables somebody may see they may see of those that take their place."""

from __future__ import annotations

from psycopg import Connection

from adapters.postgres.read_model.schemas import Schemas

_BOTH = """
pg_class old JOIN pg_class new ON new.relname = old.relname AND new.relnamespace = to_regnamespace(%(to)s)
    AND old.relnamespace = to_regnamespace(%(from)s) AND old.relkind = 'r' AND new.relkind = 'r'
"""
_DROP = f"""
SELECT format('DROP POLICY %%I ON %%I.%%I', polname, %(from)s::text, old.relname)
FROM {_BOTH} JOIN pg_policy ON polrelid = new.oid
"""
_FLAGS = f"""
SELECT format('ALTER TABLE %%I.%%I %%s ROW LEVEL SECURITY, %%s ROW LEVEL SECURITY', %(from)s::text, old.relname,
    CASE WHEN old.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END,
    CASE WHEN old.relforcerowsecurity THEN 'FORCE' ELSE 'NO FORCE' END)
FROM {_BOTH} WHERE (old.relrowsecurity, old.relforcerowsecurity) <> (new.relrowsecurity, new.relforcerowsecurity)
"""
_CREATE = f"""
SELECT concat(
    format('CREATE POLICY %%I ON %%I.%%I AS %%s FOR %%s TO %%s', polname, %(from)s::text, old.relname,
        CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
        ELSE 'ALL' END,
        (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ')
        FROM unnest(polroles) AS role)),
    ' USING (' || pg_get_expr(polqual, polrelid) || ')',
    ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')
FROM {_BOTH} JOIN pg_policy ON polrelid = old.oid ORDER BY old.relname, polname
"""


def row_security(conn: Connection, live: Schemas, aside: Schemas) -> list[str]:
    """Return the statements that give those aside the policies of the live tables, to be run once they are live.

    Until then, tables that a policy looks into would be those that go. Everything must be named with its schema.
    """
    return [
        statement
        for source, target in zip(live, aside, strict=True)
        for query in (_DROP, _FLAGS, _CREATE)
        for (statement,) in conn.execute(query.encode(), {"from": source, "to": target}).fetchall()
    ]
