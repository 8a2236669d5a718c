"""The files of a mapping as DuckDB tables, their values of the declared types, broken rows set apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
from duckdb.sqltypes import DuckDBPyType

from adapters.files.mapping import HEADER, FileSpec, did_you_mean
from adapters.files.records import Columns, Record, read_records
from application.ports.file_source import MappingError, SourceFileError

REJECTED = "_rejected"
_WHOLE_NUMBER = r"regexp_full_match(trim({text}), '[+-]?\d+(\.0*)?')"
_MIDNIGHT = r"regexp_full_match({text}, '[^:T]*([ T]00:00(:00(\.0*)?)?)?')"
_NO_OFFSET = r"NOT regexp_matches({text}, ':\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$')"
# DuckDB's casts round 1.5 to 2 and drop times and offsets; a message must not lose them unseen.
_LOSSLESS = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "hugeint"), _WHOLE_NUMBER),
    **dict.fromkeys(("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"), _WHOLE_NUMBER),
    "date": _MIDNIGHT,
    "timestamp": _NO_OFFSET,
}
_OWN = ("_file", "_line")
_NESTED = {"list", "array", "struct", "map"}


class SourceFile(NamedTuple):
    """A file and its name in messages: its path below the folder that is read."""

    path: Path
    name: str


class _Column(NamedTuple):
    """A column while its file is loaded: SQL for its text, its typed value, and whether the two agree."""

    name: str
    text: str
    typed: str
    fits: str
    type_name: str


def find_files(folder: Path, table: str, spec: FileSpec) -> list[SourceFile]:
    """Return the files of a table in the order of their names.

    Raises:
        SourceFileError: there is none.
    """
    files = sorted(file for file in folder.glob(spec.path) if file.is_file())
    if not files:
        raise SourceFileError(f"no file {spec.path} in {folder} ({HEADER}: files.{table})")
    return [SourceFile(file, file.relative_to(folder).as_posix()) for file in files]


def create_rejected(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of rejected rows."""
    connection.execute(
        f"CREATE TABLE {REJECTED}"
        ' ("table" VARCHAR, file VARCHAR, line BIGINT, "column" VARCHAR, detail VARCHAR, text VARCHAR)'
    )


def load_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    spec: FileSpec,
    files: Sequence[SourceFile],
    aside: Path,
) -> None:
    """Create the table from its files, with `_file` and `_line`; rows that don't fit go to the rejected ones.

    Raises:
        MappingError: a declared type is unknown, or its column is in none of the files.
        SourceFileError: a file can't be read.
    """
    types = {column: _type(table, column, declared) for column, declared in spec.types.items()}
    try:
        if spec.format_of(files[0].path) == "parquet":
            places = _stage_parquet(connection, files)
        else:
            places = _stage_records(connection, spec, files, aside / f"{table}.ndjson")
        # A JSON file without any row names no columns; the declared ones stand in.
        places = places or dict.fromkeys(types, "NULL")
        _require_free(places, files[0].name)
        _require_declared(table, types, places, files[0].name)
        formats = {column: _formats(connection, table, column, given) for column, given in spec.formats.items()}
        columns = [
            _formatted_column(name, place, types[name], formats[name])
            if name in formats
            else _column(name, place, types.get(name))
            for name, place in places.items()
        ]
        _split(connection, table, columns)
    except duckdb.Error as error:
        raise SourceFileError(f"{', '.join(file.name for file in files)}: {first_line(error)}") from None


def load_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str | None],
    rows: Iterable[Record],
    aside: Path,
) -> None:
    """Create the table anew from rows read elsewhere; `columns` are in their order, with the declared types.

    Raises:
        MappingError: a declared type is unknown.
    """
    types = {column: _type(table, column, name, "tables") if name else None for column, name in columns.items()}
    connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    _stage(connection, rows, aside / f"{table}.ndjson")
    _split(connection, table, [_column(name, f'"values"[{n}]', types[name]) for n, name in enumerate(columns, 1)])


def _require_free(found: Collection[str], file: str) -> None:
    for column in found:
        if column.lower() in _OWN:
            raise SourceFileError(f"{file}: has a column {column}; that name says where a row was read")


def _require_declared(table: str, declared: Collection[str], found: Collection[str], file: str) -> None:
    for column in declared:
        if column not in found:
            raise MappingError(
                f"{HEADER}: files.{table}.types.{column}: {file} has no such column; {did_you_mean(column, found)}"
            )


def first_line(error: duckdb.Error) -> str:
    """Return what DuckDB says of an error on one line, without the excerpt of the statement."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split())


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _type(table: str, column: str, declared: str, section: str = "files") -> DuckDBPyType:
    try:
        return DuckDBPyType(declared)
    except duckdb.Error as error:
        raise MappingError(
            f"{HEADER}: {section}.{table}.types.{column}: {declared!r} is not a type: {first_line(error)}"
        ) from None


def _stage_records(
    connection: duckdb.DuckDBPyConnection, spec: FileSpec, files: Sequence[SourceFile], staged: Path
) -> Mapping[str, str]:
    """Stage the records of CSV or JSON files; return the SQL for each column's text."""
    columns = Columns()
    _stage(connection, (r for file in files for r in read_records(file.path, file.name, spec, columns)), staged)
    return {name: f'"values"[{place + 1}]' for name, place in columns.index.items()}


def _stage(connection: duckdb.DuckDBPyConnection, records: Iterable[Record], staged: Path) -> None:
    encode = msgspec.json.Encoder().encode
    with staged.open("wb") as out:
        out.writelines(encode(record) + b"\n" for record in records)
    connection.execute(
        "CREATE TABLE _staged AS FROM read_json(?, format = 'newline_delimited', columns ="
        " {file: 'VARCHAR', line: 'BIGINT', text: 'VARCHAR', \"values\": 'VARCHAR[]', problem: 'VARCHAR'})",
        [str(staged)],
    )
    staged.unlink()


def _stage_parquet(connection: duckdb.DuckDBPyConnection, files: Sequence[SourceFile]) -> Mapping[str, str]:
    """Stage the rows of Parquet files; return the SQL for each column's value, which has its own type."""
    folder = len(str(files[0].path)) - len(files[0].name)
    paths = [str(file.path) for file in files]
    rows = connection.execute("SELECT * FROM read_parquet(?, union_by_name = true) LIMIT 0", [paths])
    names = [column[0] for column in rows.description or ()]
    connection.execute(
        "CREATE TABLE _staged AS"
        " SELECT filename[? + 1:] AS file, file_row_number + 1 AS line, row, row::JSON::VARCHAR AS text,"
        " NULL::VARCHAR AS problem FROM read_parquet(?, union_by_name = true) AS row",
        [folder, paths],
    )
    return {name: f"row.{quoted(name)}" for name in names}


def _column(name: str, place: str, declared: DuckDBPyType | None) -> _Column:
    text = f"({place})::VARCHAR"
    if declared is None:
        return _Column(name, text, place, "true", "")
    typed = f"TRY_CAST({f'TRY_CAST({place} AS JSON)' if declared.id in _NESTED else place} AS {declared})"
    lossless = _LOSSLESS.get(declared.id, "true").format(text=text)
    return _Column(name, text, typed, f"{place} IS NULL OR ({typed} IS NOT NULL AND {lossless})", str(declared))


def _formatted_column(name: str, place: str, declared: DuckDBPyType, formats: str) -> _Column:
    """Return a column of dates or times as the formats write them; a date has no time of day."""
    time = f"try_strptime({place}, {formats})"
    lossless = f"{time} = date_trunc('day', {time})" if declared.id == "date" else "true"
    fits = f"{place} IS NULL OR ({time} IS NOT NULL AND {lossless})"
    return _Column(name, f"({place})::VARCHAR", f"{time}::{declared}", fits, f"{declared} as in {formats}")


def _formats(connection: duckdb.DuckDBPyConnection, table: str, column: str, given: str | list[str]) -> str:
    formats = f"[{', '.join(map(_literal, [given] if isinstance(given, str) else given))}]"
    try:
        connection.execute(f"SELECT try_strptime('', {formats})")
    except duckdb.Error as error:
        raise MappingError(f"{HEADER}: files.{table}.formats.{column}: {first_line(error)}") from None
    return formats


def _split(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[_Column]) -> None:
    """Split what was staged into the table and the rejected rows."""
    wrong = _of_first_misfit(columns, lambda column: _literal(column.name))
    values = "".join(f"{column.typed} AS {quoted(column.name)}, " for column in columns)
    taken = connection.execute(
        f"CREATE TABLE {quoted(table)} AS SELECT {values} file AS _file, line AS _line"
        f" FROM _staged WHERE problem IS NULL AND {wrong} IS NULL"
    ).fetchone()
    # Of a small table it takes longer to plan a statement than to run it, and most have no row that is wrong.
    if taken != connection.execute("SELECT count(*) FROM _staged").fetchone():
        detail = _of_first_misfit(columns, _misfit)
        connection.execute(
            f"INSERT INTO {REJECTED} SELECT {_literal(table)}, file, line, {wrong},"
            f" coalesce(problem, {detail}), text FROM _staged WHERE problem IS NOT NULL OR {wrong} IS NOT NULL"
        )
    connection.execute("DROP TABLE _staged")


def _misfit(column: _Column) -> str:
    before, after = _literal(f"{column.name} is '"), _literal(f"', not {column.type_name}")
    return f"concat({before}, left({column.text}, 100), {after})"


def _of_first_misfit(columns: Sequence[_Column], result: Callable[[_Column], str]) -> str:
    cases = "".join(f" WHEN NOT ({column.fits}) THEN {result(column)}" for column in columns if column.fits != "true")
    return f"CASE WHEN problem IS NOT NULL THEN NULL::VARCHAR{cases} END"
