"""A mapping: a folder with mapping.toml and a SELECT for each type of message."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Any, Literal, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from application.aggregates import AGGREGATE_OF_COMMAND, TOPICS
from application.ports.file_source import MappingError
from domain.order.errors import InvalidCurrency
from domain.order.placing import require_currency

HEADER = "mapping.toml"
COMMANDS = {command.__name__: command for command in AGGREGATE_OF_COMMAND}
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SELECT_NAME = re.compile(r"\d+_([A-Za-z]+)(?:_.*)?\.sql")
TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PATH = re.compile(r" - at `\$\.?(.*)`$")
Format = Literal["csv", "json", "ndjson", "parquet"]
_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}
_FORMATTED = ("DATE", "TIMESTAMP")
S = TypeVar("S")


class FileSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files behind one table, and how to read them.

    `path` is a glob relative to the folder that is read; `topic` is where its rejected rows
    travel; `formats` say how the dates or times of a column are written, the first that fits counts. An empty
    CSV field is null, and so is each text in `nullstr`; `escape` is the character before a quote, where quotes
    are not doubled; `columns` names the columns of a file without a header.
    """

    path: str
    format: Format | None = None
    topic: str | None = None
    types: dict[str, str] = {}
    formats: dict[str, str | list[str]] = {}
    header: bool = True
    columns: list[str] = []
    delimiter: str | None = None
    quote: str = '"'
    escape: str | None = None
    encoding: str = "utf-8"
    nullstr: list[str] = []

    def format_of(self, file: PurePath) -> Format | None:
        """Return the format of a file: as declared, or by its suffix; None where neither says it."""
        suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
        return self.format or (_FORMATS.get(suffixes[-1]) if suffixes else None)

    def delimiter_of(self, file: PurePath) -> str:
        """Return what separates fields: as declared, a tab for .tsv, else a comma."""
        return self.delimiter or ("\t" if ".tsv" in file.suffixes else ",")


class Select(NamedTuple):
    """A SELECT of the mapping and the command that each of its rows becomes."""

    file: str
    command: type
    sql: str


class Mapping(NamedTuple):
    """A mapping, read and checked as far as it can be without the files.

    `tables` of a database and `topics` are as written; whoever reads those checks them.
    """

    name: str
    zone: ZoneInfo
    currency: str | None
    files: dict[str, FileSpec]
    selects: tuple[Select, ...]
    tables: dict[str, dict[str, Any]]
    topics: dict[str, dict[str, Any]]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    zone: str
    files: dict[str, dict[str, Any]] = {}
    tables: dict[str, dict[str, Any]] = {}
    topics: dict[str, dict[str, Any]] = {}
    currency: str | None = None


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return a hint for a word that isn't known: the nearest known one, or all of them."""
    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def read_mapping(folder: Path) -> Mapping:
    """Read a mapping folder.

    Raises:
        MappingError: it is missing, or something in it is wrong.
    """
    if not (folder / HEADER).is_file():
        raise MappingError(f"{folder} is not a mapping: it has no {HEADER}")
    try:
        content = tomllib.loads((folder / HEADER).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{HEADER}: not TOML in UTF-8: {error}") from None
    header = converted(content, _Header, "")
    if not header.name:
        raise MappingError(f"{HEADER}: name is empty")
    if not (header.files or header.tables or header.topics):
        raise MappingError(f"{HEADER}: it names nothing to read; add [files.<table>]")
    if header.currency is not None:
        _check_currency(header.currency)
    files = {table: _file_spec(table, options) for table, options in header.files.items()}
    zone, selects = _zone(header.zone), _selects(folder)
    return Mapping(header.name, zone, header.currency, files, selects, header.tables, header.topics)


def converted(content: dict[str, Any], kind: type[S], where: str) -> S:
    """Return a part of mapping.toml as its type; `where` is its place, such as `files.orders.`.

    Raises:
        MappingError: a key is unknown, or a value is missing or of another type.
    """
    known = [field.name for field in msgspec.structs.fields(kind)]  # type: ignore[arg-type]
    for key in content:
        if key not in known:
            raise MappingError(f"{HEADER}: unknown key {where}{key}; {did_you_mean(key, known)}")
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        path = _PATH.search(str(error))
        place = (where + (path[1] if path else "")).rstrip(".")
        detail = _MISSING.sub(r"\1 is missing", _PATH.sub("", str(error)))
        raise MappingError(": ".join(filter(None, (HEADER, place, detail)))) from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MappingError(f"{HEADER}: zone {name!r} is not a time zone; write it as in Europe/Berlin or UTC") from None


def _check_currency(currency: str) -> None:
    try:
        require_currency(currency)
    except InvalidCurrency as refusal:
        raise MappingError(f"{HEADER}: currency {currency!r}: {refusal}") from None


def _file_spec(table: str, options: dict[str, Any]) -> FileSpec:
    where = f"files.{table}."
    spec = converted(options, FileSpec, where)
    path = PurePath(spec.path)
    problem = None
    if not TABLE_NAME.fullmatch(table):
        problem = "the name of a table starts with a letter and has letters, digits and _ only"
    elif not spec.path or path.is_absolute() or ".." in path.parts:
        problem = f"path {spec.path!r} must be relative to the folder that is read"
    elif spec.format_of(path) is None:
        problem = f'path {spec.path!r} does not tell the format; add format = "csv" (or json, ndjson, parquet)'
    elif spec.topic is not None and spec.topic not in TOPICS:
        problem = f"topic {spec.topic!r} is not known; {did_you_mean(spec.topic, TOPICS)}"
    elif len(spec.delimiter or ",") != 1 or len(spec.quote) > 1 or len(spec.escape or "\\") != 1:
        problem = "delimiter, quote and escape are one character each"
    elif spec.header == bool(spec.columns):
        problem = "columns names the columns where header = false, and only there"
    elif strange := [column for column in spec.formats if spec.types.get(column, "").upper() not in _FORMATTED]:
        problem = f"formats.{strange[0]} needs types.{strange[0]} to be one of {', '.join(_FORMATTED)}"
    elif not _is_encoding(spec.encoding):
        problem = f"encoding {spec.encoding!r} is not known; write it as in utf-8, latin-1 or cp1252"
    if problem:
        raise MappingError(f"{HEADER}: {where.rstrip('.')}: {problem}")
    return spec


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _selects(folder: Path) -> tuple[Select, ...]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".sql")
    if not files:
        raise MappingError(f"{folder} has no SELECT; add a file such as 10_PlaceOrder.sql")
    return tuple(_select(file) for file in files)


def _select(file: Path) -> Select:
    match = _SELECT_NAME.fullmatch(file.name)
    if match is None:
        raise MappingError(
            f"{file.name}: name it <number>_<Command>.sql or <number>_<Command>_<note>.sql, as in 10_PlaceOrder.sql"
        )
    command = COMMANDS.get(match[1])
    if command is None:
        raise MappingError(f"{file.name}: unknown command {match[1]}; {did_you_mean(match[1], COMMANDS)}")
    try:
        return Select(file.name, command, file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise MappingError(f"{file.name}: not text in UTF-8: {error}") from None
