"""Rights: what others may do with the live tables they may do with those that take their place, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection, errors

from adapters.postgres.read_model.schemas import Schemas
from application.ports.read_model import RightsNotCarriedError

_TO = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END"
_OPTION = "CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
_BOTH = """
pg_class old
JOIN pg_class new ON new.relname = old.relname AND new.relnamespace = to_regnamespace(%(to)s)
    AND old.relnamespace = to_regnamespace(%(from)s) AND old.relkind IN ('r', 'v')
"""
# What tables have from defaults, or had when they were live before.
_TAKE_BACK = (
    f"""
SELECT DISTINCT format('REVOKE ALL ON SCHEMA %%I FROM %%s CASCADE', nspname, {_TO})
FROM pg_namespace, aclexplode(nspacl) WHERE nspname = %(to)s AND grantee <> nspowner
""",
    f"""
SELECT DISTINCT format('REVOKE ALL ON TABLE %%I.%%I FROM %%s CASCADE', %(to)s::text, new.relname, {_TO})
FROM {_BOTH} CROSS JOIN LATERAL (
    SELECT grantee FROM aclexplode(new.relacl)
    UNION SELECT grantee FROM pg_attribute, aclexplode(attacl) WHERE attrelid = new.oid
) AS own WHERE grantee <> new.relowner
""",
    f"""
SELECT DISTINCT format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I IN SCHEMA %%I REVOKE ALL ON %%s FROM %%s',
    pg_get_userbyid(defaclrole), %(to)s::text, kind, {_TO})
FROM pg_default_acl, aclexplode(defaclacl),
    (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES')) AS kinds (letter, kind)
WHERE defaclnamespace = to_regnamespace(%(to)s) AND defaclobjtype::text = letter
""",
)
_GIVE = (
    f"""
SELECT format('GRANT %%s ON SCHEMA %%I TO %%s%%s', privilege_type, %(to)s::text, {_TO}, {_OPTION})
FROM pg_namespace, aclexplode(nspacl) WHERE nspname = %(from)s
""",
    f"""
SELECT format('GRANT %%s ON TABLE %%I.%%I TO %%s%%s', privilege_type, %(to)s::text, old.relname, {_TO}, {_OPTION})
FROM {_BOTH}, aclexplode(old.relacl)
""",
    f"""
SELECT format('GRANT %%s (%%I) ON TABLE %%I.%%I TO %%s%%s',
    privilege_type, own.attname, %(to)s::text, old.relname, {_TO}, {_OPTION})
FROM {_BOTH}
JOIN pg_attribute own ON own.attrelid = old.oid AND NOT own.attisdropped
JOIN pg_attribute other ON other.attrelid = new.oid AND other.attname = own.attname AND NOT other.attisdropped,
    aclexplode(own.attacl)
""",
    f"""
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I IN SCHEMA %%I GRANT %%s ON %%s TO %%s%%s',
    pg_get_userbyid(defaclrole), %(to)s::text, privilege_type, kind, {_TO}, {_OPTION})
FROM pg_default_acl, aclexplode(defaclacl),
    (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES')) AS kinds (letter, kind)
WHERE defaclnamespace = to_regnamespace(%(from)s) AND defaclobjtype::text = letter
""",
    # Tables that are new have what the schema's owner gives by default to those that come.
    f"""
SELECT format('GRANT %%s ON TABLE %%I.%%I TO %%s%%s', privilege_type, %(to)s::text, new.relname, {_TO}, {_OPTION})
FROM pg_default_acl JOIN pg_namespace n ON n.oid = defaclnamespace AND nspname = %(from)s AND defaclrole = nspowner
JOIN pg_class new ON new.relnamespace = to_regnamespace(%(to)s) AND new.relkind IN ('r', 'v')
    AND NOT EXISTS (SELECT FROM pg_class old WHERE old.relnamespace = n.oid AND old.relname = new.relname),
    aclexplode(defaclacl)
WHERE defaclobjtype = 'r'
""",
)
# The schema first: whoever gets a table must be allowed to have one there.
_OWN = (
    """
SELECT format('ALTER SCHEMA %%I OWNER TO %%I', new.nspname, pg_get_userbyid(old.nspowner))
FROM pg_namespace old, pg_namespace new
WHERE old.nspname = %(from)s AND new.nspname = %(to)s AND old.nspowner <> new.nspowner
""",
    """
SELECT format('ALTER %%s %%I.%%I OWNER TO %%I', CASE new.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
    %(to)s::text, new.relname, pg_get_userbyid(coalesce(old.relowner, nspowner)))
FROM pg_class new JOIN pg_namespace n ON nspname = %(from)s
LEFT JOIN pg_class old ON old.relnamespace = n.oid AND old.relname = new.relname
WHERE new.relnamespace = to_regnamespace(%(to)s) AND new.relkind IN ('r', 'v')
    AND new.relowner <> coalesce(old.relowner, nspowner)
""",
)


def carry_rights(conn: Connection, live: Schemas, aside: Schemas) -> None:
    """Give those aside the grants, the default privileges and the owners of the live schemas, tables and columns.

    Raises:
        RightsNotCarriedError: the server refuses one of them to the role that swaps.
    """
    for source, target in zip(live, aside, strict=True):
        for query in (*_TAKE_BACK, *_GIVE, *_OWN):
            for statement in _statements(conn, query, source, target):
                try:
                    conn.execute(statement.encode())
                except errors.InsufficientPrivilege as error:
                    reason = f"{statement}: {error.diag.message_primary}. {RightsNotCarriedError.__doc__}"
                    raise RightsNotCarriedError(reason) from error


def _statements(conn: Connection, query: str, source: str, target: str) -> Iterator[str]:
    for (statement,) in conn.execute(query.encode(), {"from": source, "to": target}).fetchall():
        yield statement
