"""Figures from the star schema in PostgreSQL: one query for each fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from decimal import Decimal
from itertools import groupby
from typing import Any, Self, cast

import psycopg
from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from adapters.postgres.errors import needed, refused
from adapters.postgres.read_model.log import read_checkpoint
from adapters.postgres.read_model.schemas import LIVE
from adapters.postgres.selecting import conditions, find_keys, joins, measure
from application.ports.analytics import (
    EVERYTHING,
    AnalyticsUnavailableError,
    Evidence,
    Figure,
    Measured,
    Member,
    Selection,
)
from application.queries.definitions import FACTS, Dimension, Fact, Kpi, Listing


class PostgresAnalytics:
    """Reads one schema of facts and dimensions; several statements see one moment."""

    def __init__(self, pool: ConnectionPool, schema: str = "gold") -> None:
        self._pool = pool
        self._schema = schema
        self._of_moment: Connection | None = None

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        """Return the figures, one row for each member in order of keys, or just one row."""
        rows: dict[Member, dict[str, Figure]] = {} if by else {Member(None, None): {}}
        with self._snapshot() as connection:
            for fact, group in groupby(sorted(kpis, key=_fact_order), key=lambda kpi: kpi.fact):
                of_fact = list(group)
                statement, values = measure(fact, of_fact, by, where, find_keys(connection, fact, where))
                for key, label, *figures in _run(connection, statement, values):
                    named = zip(of_fact, figures, strict=True)
                    measured = {kpi.name: _trimmed(figure) for kpi, figure in named}
                    rows.setdefault(Member(key, label), {}).update(measured)
        ordered = sorted(rows.items(), key=lambda row: (row[0].key is None, row[0].key or ""))
        return [Measured(member, {kpi.name: figures.get(kpi.name) for kpi in kpis}) for member, figures in ordered]

    def members(self, dimension: Dimension) -> list[Member]:
        """Return the members that occur in facts, in order of their labels."""
        selects = [
            f"SELECT DISTINCT {source.key} AS key, {source.label} AS label "
            f"FROM {name} f {' '.join(source.joins + source.naming)}"
            for name, source in dimension.sources.items()
            if source.through is None
        ]
        with self._snapshot() as connection:
            rows = _run(connection, " UNION ".join(selects) + " ORDER BY label, key", {})
            return [Member(*row) for row in rows]

    def evidence(self, kpi: Kpi, where: Selection = EVERYTHING, limit: int = 100) -> list[Evidence]:
        """Return up to `limit` rows that a figure counts, those that changed last first."""
        with self._snapshot() as connection:
            values: dict[str, Any] = {"limit": limit, **find_keys(connection, kpi.fact, where)}
            statement = (
                f"SELECT f.* FROM {kpi.fact.name} f {joins(kpi.fact, None, where, values)} "
                f"WHERE ({kpi.counted}) AND {conditions(kpi.fact, None, where, values)} "
                "ORDER BY f.last_position DESC, f.first_position DESC LIMIT %(limit)s"
            )
            return _evidence(connection, statement, values)

    def row(self, fact: Fact, key: Sequence[str]) -> Evidence | None:
        """Return the row of a fact with these values of its key."""
        # The key's values come as text, from the name of a row; what is no number is the key of no row.
        where = " AND ".join(f"f.{column}::text = %({column})s" for column in fact.key[1:])
        statement = f"SELECT f.* FROM {fact.name} f WHERE f.{fact.key[0]} = %({fact.key[0]})s"
        values = dict(zip(fact.key, key, strict=True))
        with self._snapshot() as connection:
            found = _evidence(connection, f"{statement} AND {where}" if where else statement, values)
        return found[0] if found else None

    def rows(self, listing: Listing, where: Selection = EVERYTHING, limit: int = 200) -> list[dict[str, Any]]:
        """Return up to `limit` rows by column, in the listing's order."""
        columns = ", ".join(f'{expression} AS "{name}"' for name, expression in listing.columns)
        with self._snapshot() as connection:
            values: dict[str, Any] = {"limit": limit, **find_keys(connection, listing.fact, where)}
            statement = (
                f"SELECT {columns} FROM {listing.fact.name} f {' '.join(listing.joins)} "
                f"{joins(listing.fact, None, where, values)} "
                f"WHERE ({listing.condition}) AND {conditions(listing.fact, None, where, values)} "
                f"ORDER BY {listing.order} LIMIT %(limit)s"
            )
            return _rows(connection, statement, values)

    def position(self) -> int:
        """Return the position in the log up to which the figures are true."""
        with self._snapshot() as connection:
            return read_checkpoint(connection)

    @contextmanager
    def moment(self) -> Iterator[Self]:
        """Give the same figures, all of one moment."""
        with self._snapshot() as connection:
            within = copy(self)
            within._of_moment = connection
            yield within

    def snapshot(self) -> str:
        """Within a moment, return the name under which other transactions can see it, too."""
        with self._snapshot() as connection:
            (name,) = next(connection.execute("SELECT pg_export_snapshot()"))
            return str(name)

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        if self._of_moment is not None:
            yield self._of_moment
            return
        found = False
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(self._schema)))
                # By default a row that changes process costs as much as ten that are read: percentiles read alone.
                connection.execute("SET LOCAL parallel_tuple_cost = 0.01")
                # By default a page of an index costs four of a table: rows are read where a covering index would do.
                connection.execute("SET LOCAL random_page_cost = 1.1")
                # Before the first snapshot: a rebuild that is being put in place is waited for, then seen.
                connection.execute(f"LOCK TABLE {FACTS[0].name} IN ACCESS SHARE MODE")
                found = True
                yield connection
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            if not found:
                raise AnalyticsUnavailableError(self._why_nothing_is_found()) from error
            reason = f"{self._schema} was made by another version: {error.diag.message_primary}"
            raise AnalyticsUnavailableError(f"{reason}; {self._anew()}") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise AnalyticsUnavailableError(str(refused(error))) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise AnalyticsUnavailableError(f"the database does not answer: {str(error).strip()}") from error

    def _anew(self) -> str:
        live = self._schema == LIVE.gold
        return "`dataflow rebuild --accept-changes` makes it anew" if live else "build it again with this one"

    def _why_nothing_is_found(self) -> str:
        """Return why tables are not found: to the server, those in a schema that a role may not use are not there."""
        may_use = "SELECT has_schema_privilege(to_regnamespace(%s)::oid, 'USAGE')"
        with self._pool.connection() as connection:
            (allowed,) = next(connection.execute(may_use, [self._schema]))
        if allowed is False:
            return f"permission denied for schema {self._schema}: {needed('permission denied for schema')}"
        if self._schema != LIVE.gold:
            return f"there are no tables in {self._schema}: make that build again"
        return "there are no read models yet: run `dataflow project`"


def _run(connection: Connection, statement: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield from connection.execute(statement, values, prepare=False)


def _rows(connection: Connection, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()


def _evidence(connection: Connection, statement: str, values: dict[str, Any]) -> list[Evidence]:
    return [
        Evidence(row.pop("stream_id"), row.pop("first_position"), row.pop("last_position"), row)
        for row in _rows(connection, statement, values)
    ]


def _fact_order(kpi: Kpi) -> tuple[str, bool, str]:
    return kpi.fact.name, kpi.fact.snapshot, kpi.fact.rows


def _trimmed(figure: Any) -> Figure:
    """Drop a decimal's trailing zeros, which say only how it was computed."""
    if isinstance(figure, Decimal):
        text = f"{figure:f}"
        return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return cast(Figure, figure)
