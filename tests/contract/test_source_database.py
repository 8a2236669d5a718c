"""What every source database promises, held against each kind of database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.postgres.server import EmbeddedPostgres
from adapters.sql.source_database import SqlSourceDatabase
from application.ports.source_database import ReadRow, SourceDatabaseError, SourceTable
from tests.foreign_database import foreign_database, postgres_url

TABLE = "CREATE TABLE lines (order_id integer, no integer, name varchar(20), changed timestamp, version integer)"
LINES = SourceTable("lines", "SELECT * FROM lines", ("order_id", "no"), "lines", ("order_id", "no"))
VERSIONED = LINES._replace(version="version")
CHANGING = LINES._replace(changed="changed", overlap=60)


class Source(NamedTuple):
    """A database that belongs to somebody else, and a way to write to it as its owner does."""

    database: SqlSourceDatabase
    write: Callable[[str], None]


@pytest.fixture(params=["postgresql", "sqlite"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    if request.param == "sqlite":
        path = tmp_path / "source.db"
        with sqlite3.connect(path, isolation_level=None) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            yield Source(SqlSourceDatabase(f"sqlite:///{path}"), lambda statement: _done(connection, statement))
        connection.close()
        return
    with foreign_database(request.getfixturevalue("postgres")) as (url, connection):
        yield Source(SqlSourceDatabase(url), lambda statement: _done(connection, statement))


def _done(connection: Any, statement: str) -> None:
    connection.execute(statement)


def filled(source: Source, *rows: str) -> Source:
    source.write(TABLE)
    if rows:
        source.write(f"INSERT INTO lines VALUES {', '.join(rows)}")
    return source


def names(rows: Iterator[ReadRow]) -> list[str]:
    return [row.values["name"] for row in rows]


def at(minute: int) -> str:
    return f"'2026-03-01 10:{minute:02}:00'"


def row(order: int, no: int, name: str, minute: int | None = 0, version: int = 1) -> str:
    return f"({order}, {no}, '{name}', {'NULL' if minute is None else at(minute)}, {version})"


def test_columns_are_known_where_there_is_no_row(source: Source) -> None:
    with filled(source).database.snapshot() as snapshot:
        assert snapshot.columns(LINES) == ["order_id", "no", "name", "changed", "version"]
        assert snapshot.columns(VERSIONED) == ["order_id", "no", "name", "changed"]
        assert list(snapshot.rows(LINES)) == []


def test_rows_come_with_their_values_and_their_version_apart(source: Source) -> None:
    with filled(source, row(1, 2, "süß: 5 %", 0, 7)).database.snapshot() as snapshot:
        (read,) = snapshot.rows(VERSIONED)
    assert (read.values["order_id"], read.values["name"], read.version) == (1, "süß: 5 %", "7")
    assert "version" not in read.values


def test_keys_come_with_versions(source: Source) -> None:
    with filled(source, row(1, 1, "a", 0, 3), row(1, 2, "b", 0, 4)).database.snapshot() as snapshot:
        assert sorted(snapshot.keys(VERSIONED)) == [((1, 1), "3"), ((1, 2), "4")]
        assert sorted(snapshot.keys(LINES)) == [((1, 1), None), ((1, 2), None)]


def test_rows_are_fetched_by_one_column_or_several(source: Source) -> None:
    filled(source, row(1, 1, "a"), row(1, 2, "b"), row(2, 1, "c"))
    with source.database.snapshot() as snapshot:
        assert sorted(names(snapshot.fetch(LINES, [(1, 2), (2, 1), (3, 3)]))) == ["b", "c"]
        by_name = LINES._replace(key=("name",))
        assert sorted(names(snapshot.fetch(by_name, [("a",), ("z",)]))) == ["a"]


def test_rows_since_a_mark_include_its_overlap(source: Source) -> None:
    filled(source, row(1, 1, "old", 10), row(2, 1, "within", 20), row(3, 1, "last", 21))
    with source.database.snapshot() as snapshot:
        mark = list(snapshot.rows(CHANGING))[-1].mark
        assert names(snapshot.rows(CHANGING, mark)) == ["within", "last"]


def test_rows_without_a_time_are_always_due(source: Source) -> None:
    filled(source, row(1, 1, "timeless", None), row(2, 1, "old", 1), row(3, 1, "last", 21))
    with source.database.snapshot() as snapshot:
        mark = max(each.mark for each in snapshot.rows(CHANGING) if each.mark is not None)
        assert set(names(snapshot.rows(CHANGING, mark))) == {"last", "timeless"}


def test_without_overlap_the_key_breaks_the_tie(source: Source) -> None:
    tight = CHANGING._replace(overlap=0)
    filled(source, row(1, 1, "a", 5), row(1, 2, "b", 5), row(2, 1, "c", 5), row(0, 9, "earlier", 4))
    with source.database.snapshot() as snapshot:
        marks = [each.mark for each in snapshot.rows(tight)]
        assert names(snapshot.rows(tight)) == ["earlier", "a", "b", "c"]
        assert [names(snapshot.rows(tight, mark)) for mark in marks] == [["a", "b", "c"], ["b", "c"], ["c"], []]


def test_all_that_is_read_belongs_to_one_moment(source: Source) -> None:
    filled(source, row(1, 1, "a"))
    with source.database.snapshot() as snapshot:
        assert names(snapshot.rows(LINES)) == ["a"]
        source.write(f"INSERT INTO lines VALUES {row(2, 1, 'later')}")
        assert names(snapshot.rows(LINES)) == ["a"]
        assert [key for key, _ in snapshot.keys(LINES)] == [(1, 1)]
    with source.database.snapshot() as snapshot:
        assert names(snapshot.rows(LINES)) == ["a", "later"]


def test_nothing_can_be_written(source: Source) -> None:
    filled(source, row(1, 1, "a"))
    writing = LINES._replace(query="DELETE FROM lines RETURNING *")
    with pytest.raises(SourceDatabaseError), source.database.snapshot() as snapshot:
        list(snapshot.rows(writing))
    with source.database.snapshot() as snapshot:
        assert names(snapshot.rows(LINES)) == ["a"]


def test_many_rows_are_not_held_at_once(source: Source) -> None:
    filled(source)
    series = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
    source.write(f"INSERT INTO lines {series} SELECT i, 1, 'x', NULL, 1 FROM n")
    with source.database.snapshot() as snapshot:
        rows = snapshot.rows(LINES)
        assert next(rows).values["name"] == "x"
        assert sum(1 for _ in rows) == 19_999


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (LINES._replace(query="SELECT * FROM linse"), "linse"),
        (LINES._replace(key=("order_id", "number")), "lines has no column number; it has order_id, no, name"),
        (LINES._replace(changed="updated"), "lines has no column updated; it has"),
    ],
)
def test_a_mistake_is_one_line(source: Source, table: SourceTable, said: str) -> None:
    filled(source)
    with pytest.raises(SourceDatabaseError, match=said) as error, source.database.snapshot() as snapshot:
        snapshot.columns(table)
    assert "\n" not in str(error.value)


SECRET = "s3cr3t"  # noqa: S105 - a password that must not be shown


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            f"postgresql://ann:{SECRET}@127.0.0.1:9/shop?sslpassword={SECRET}",
            r"postgresql://ann:\*\*\*@127.0.0.1:9/shop",
        ),
        ("sqlite:////nowhere/shop.db", "there is no such file"),
        (f"mysql+pymysql://ann:{SECRET}@localhost/shop", "not installed: no module pymysql"),
        (f"odbc://ann:{SECRET}@localhost/shop", "'odbc' is no database that SQLAlchemy knows"),
        (f"ann:{SECRET}@localhost", "can't be read; write it as in postgresql://"),
        (f"postgresql://ann:an@{SECRET}@localhost/x", "an '@' in the password as %40"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(SourceDatabaseError, match=said) as error, SqlSourceDatabase(url).snapshot():
        pass
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_statement_that_takes_too_long_is_ended(postgres: EmbeddedPostgres) -> None:
    slow = LINES._replace(query="SELECT 1 AS order_id, 1 AS no FROM pg_sleep(60)")
    database = SqlSourceDatabase(postgres_url(postgres.conninfo()), statement_seconds=1)
    with pytest.raises(SourceDatabaseError, match="statement timeout"), database.snapshot() as snapshot:
        list(snapshot.rows(slow))
