"""Rows that a table refuses: named in the driver's error as notes, and said in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, sql

from adapters.postgres.read_model.certify import JSON_ROW

Refusal = psycopg.IntegrityError | psycopg.DataError
REFUSALS = (psycopg.IntegrityError, psycopg.DataError)
"""What the server raises where a row does not keep a constraint, or where a value is none of its column's type."""
_EVERYWHERE = sql.SQL(" WHERE true")
_PLACE = ("stream_id", "first_position", "last_position")
_LINE = re.compile(r"COPY \w+, line (\d+)")


def named_if_refused(work: Callable[[bool], None]) -> None:
    """Do a transaction's work; where the server refuses a row, once more with a look for the row that it is.

    The look takes a savepoint for each statement, which work that nobody refuses does not pay for.
    """
    try:
        work(False)
    except REFUSALS:
        work(True)


@contextmanager
def naming_the_row(rows: Sequence[Any]) -> Iterator[None]:
    """Name, in what the server refuses while rows are copied, the row that it stopped at."""
    try:
        yield
    except REFUSALS as error:
        line = _LINE.search(error.diag.context or "")
        if line and int(line[1]) <= len(rows):
            row = rows[int(line[1]) - 1]
            error.add_note(_of_events({name: getattr(row, name, None) for name in _PLACE}))
        raise


@contextmanager
def naming_a_row(
    conn: Connection,
    relation: sql.Identifier,
    broken: Iterable[str],
    where: sql.Composable = _EVERYWHERE,
    values: Sequence[Any] = (),
) -> Iterator[None]:
    """Name, where constraints are refused, the first row of a table or view that meets one of the conditions.

    What is done within is undone first. `where`, with its `values`, says among which rows to look.
    """
    try:
        with conn.transaction():
            yield
    except psycopg.IntegrityError as error:
        for condition in broken:
            query = sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t{} AND ").format(relation, where).as_bytes(conn)
            met = f"({condition}) LIMIT 1".replace("%", "%%").encode()
            row = None
            with suppress(psycopg.Error), conn.transaction():  # some condition of other rows may have no value
                row = conn.execute(query + met, [*values]).fetchone()
            if row is not None:
                error.add_note(_of_events(JSON_ROW.decode(row[0])))
                break
        raise


def said(error: Refusal) -> str:
    """Return which table refuses what, which row it is, and the events behind it, as far as that is known."""
    diag = error.diag
    schema = (diag.schema_name or "").partition("_")[0]
    table = f"{schema}.{diag.table_name} refuses a row: " if diag.table_name else ""
    what = diag.message_primary or str(error)
    return table + "; ".join([what, *([diag.message_detail] if diag.message_detail else []), *_notes(error)])


def _of_events(row: Mapping[str, Any]) -> str:
    stream, first, last = (row.get(name) for name in _PLACE)
    if stream is None or first is None or last is None:
        return "the row is " + ", ".join(f"{name}={value}" for name, value in row.items())
    positions = f"event at position {first:,}" if first == last else f"events at positions {first:,} to {last:,}"
    return f"the row is of {stream}, from its {positions}"


def _notes(error: Refusal) -> list[str]:
    return list(getattr(error, "__notes__", ()))
