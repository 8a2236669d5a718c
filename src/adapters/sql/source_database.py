"""The `SourceDatabase` port on any database that SQLAlchemy reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Subquery,
    and_,
    bindparam,
    column,
    create_engine,
    literal_column,
    make_url,
    or_,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.types import NullType

from adapters.sql.marks import decode_mark, encode_mark, lowered
from application.ports.source_database import Key, ReadRow, SourceDatabaseError, SourceSnapshot, SourceTable

AT_ONCE = 2_000
"""Rows that the driver fetches at once from the server's cursor."""
STATEMENT_SECONDS = 300
CONNECT_SECONDS = 10
_NAME = "dataflow"
_LIBPQ = ("psycopg", "psycopg2")


class SqlSourceDatabase:
    """A database by its SQLAlchemy URL. Reads in one transaction, read-only, and through a server-side cursor.

    On PostgreSQL the transaction is REPEATABLE READ, a statement (with a cursor: each fetch) ends after
    `statement_seconds`, and locks are not waited for. Other databases use their own defaults; SQLite refuses to
    write.
    """

    def __init__(self, url: str, *, statement_seconds: int = STATEMENT_SECONDS) -> None:
        self._url = _parsed(url)
        self._statement_seconds = statement_seconds

    @contextmanager
    def snapshot(self) -> Iterator[SourceSnapshot]:
        """Open a snapshot; see the port."""
        with self._translated():
            engine = self._engine()
            try:
                with engine.connect() as connection:
                    yield _Snapshot(self._prepared(connection))
            finally:
                engine.dispose()

    def _engine(self) -> Engine:
        if self._url.get_backend_name() == "sqlite" and not Path(self._url.database or "").is_file():
            raise SourceDatabaseError(f"the source database {self._shown()}: there is no such file")
        named = {"application_name": _NAME, "connect_timeout": CONNECT_SECONDS}
        try:
            return create_engine(self._url, connect_args=named if self._url.get_driver_name() in _LIBPQ else {})
        except ModuleNotFoundError as error:
            raise SourceDatabaseError(
                f"the driver of the source database {self._shown()} is not installed: no module {error.name}"
            ) from error

    def _prepared(self, connection: Connection) -> Connection:
        name = connection.dialect.name
        if name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{self._statement_seconds}s'")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        elif name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
        return connection.execution_options(stream_results=True, yield_per=AT_ONCE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise SourceDatabaseError(f"the source database {self._shown()}: {_first_line(error)}") from error

    def _shown(self) -> str:
        """Return the URL without what may be secret: the password, and all options."""
        return self._url.set(query={}).render_as_string(hide_password=True)


_UNREADABLE = (
    "the URL of the source database can't be read; write it as in postgresql://user:password@host:5432/database, an "
    "'@' in the password as %40"
)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except NoSuchModuleError:
        raise SourceDatabaseError(f"{parsed.drivername!r} is no database that SQLAlchemy knows") from None
    except (ArgumentError, ValueError):
        raise SourceDatabaseError(_UNREADABLE) from None
    if "@" in (parsed.host or ""):
        # What stands before it is the end of a password.
        raise SourceDatabaseError(_UNREADABLE)
    return parsed


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)


class _Snapshot:
    """The `SourceSnapshot` port on one connection and its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def columns(self, table: SourceTable) -> list[str]:
        """Return the names of a table's columns."""
        rows = _rows_of(table)
        result = self._connection.execute(_all_of(rows).where(text("1 = 0")))
        found = list(result.keys())
        result.close()
        names = [name for name in found if name != table.version]
        for name in filter(None, (*table.key, *table.group, table.changed, table.version)):
            if name not in found:
                raise SourceDatabaseError(f"{table.name} has no column {name}; it has {', '.join(found)}")
        return names

    def rows(self, table: SourceTable, since: str | None = None) -> Iterator[ReadRow]:
        """Yield all rows, or those that changed since a mark."""
        rows = _rows_of(table)
        query = _all_of(rows)
        if table.changed is not None:
            changed = rows.c[table.changed]
            if since is not None:
                query = query.where(_after(table, rows, since))
            query = query.order_by(changed, *(rows.c[name] for name in table.key))
        yield from self._read(table, query)

    def keys(self, table: SourceTable) -> Iterator[tuple[Key, str | None]]:
        """Yield the key and the version of every row."""
        rows = _rows_of(table)
        names = [*table.key, *filter(None, (table.version,))]
        for row in self._connection.execute(select(*(rows.c[name] for name in names))):
            key = tuple(row[: len(table.key)])
            yield key, None if table.version is None else str(row[-1])

    def fetch(self, table: SourceTable, keys: Sequence[Key]) -> Iterator[ReadRow]:
        """Yield the rows with the given keys."""
        rows = _rows_of(table)
        if len(table.key) == 1:
            wanted: ColumnElement[bool] = rows.c[table.key[0]].in_(_value([key[0] for key in keys], expanding=True))
        else:
            wanted = or_(*(and_(*(_is(rows, *pair) for pair in zip(table.key, key, strict=True))) for key in keys))
        yield from self._read(table, _all_of(rows).where(wanted))

    def _read(self, table: SourceTable, query: Select[Any]) -> Iterator[ReadRow]:
        for row in self._connection.execute(query).mappings():
            yield _read_row(table, row)


def _rows_of(table: SourceTable) -> Subquery:
    """Return the table's query, to be selected from; colons in it are its own, not parameters."""
    names = dict.fromkeys((*table.key, *filter(None, (table.changed, table.version))))
    query = text(table.query.strip().rstrip(";").replace(":", "\\:"))
    return query.columns(*(column(name) for name in names)).subquery("source_rows")


def _all_of(rows: Subquery) -> Select[Any]:
    return select(literal_column("*")).select_from(rows)


def _value(value: Any, *, expanding: bool = False) -> BindParameter[Any]:
    """Return a parameter without a type of its own: a key's text may stand for a date or a UUID."""
    return bindparam(None, value, type_=NullType(), expanding=expanding)


def _is(rows: Subquery, name: str, value: Any) -> ColumnElement[bool]:
    return rows.c[name].is_(None) if value is None else rows.c[name] == _value(value)


def _after(table: SourceTable, rows: Subquery, since: str) -> ColumnElement[bool]:
    """Return whether a row is due: it changed after the mark less the overlap, or it is not known when."""
    assert table.changed is not None
    changed = rows.c[table.changed]
    value, key = decode_mark(since)
    if table.overlap:
        due: ColumnElement[bool] = changed >= _value(lowered(value, table.overlap))
    else:
        due = or_(changed > _value(value), and_(changed == _value(value), _beyond(rows, table.key, key)))
    return or_(due, changed.is_(None))


def _beyond(rows: Subquery, names: Sequence[str], key: Key) -> ColumnElement[bool]:
    """Return whether a row's key comes after another: by its first column, then the next."""
    first: ColumnElement[bool] = rows.c[names[0]] > _value(key[0])
    if len(names) == 1:
        return first
    return or_(first, and_(_is(rows, names[0], key[0]), _beyond(rows, names[1:], key[1:])))


def _read_row(table: SourceTable, row: RowMapping) -> ReadRow:
    values = dict(row)
    version = str(values.pop(table.version)) if table.version is not None else None
    mark = None
    if table.changed is not None and values[table.changed] is not None:
        mark = encode_mark(values[table.changed], tuple(values[name] for name in table.key))
    return ReadRow(values, version, mark)
