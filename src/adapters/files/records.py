"""The records of CSV and JSON files, each with the physical line that it starts on."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import msgspec

from adapters.files.mapping import FileSpec
from application.ports.file_source import SourceFileError

MAX_TEXT = 100_000
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


class Record(msgspec.Struct):
    """A record as read: its texts in the order of the table's columns, or the problem that it has.

    `file` says where it stands; `line` is None where that says all.
    """

    file: str
    line: int | None
    text: str
    values: list[str | None] = []
    problem: str | None = None


class Columns:
    """The columns of a table, in the order in which its files first name them."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Return the place of a column, from 0."""
        return self.index.setdefault(name, len(self.index))


def read_records(file: Path, name: str, spec: FileSpec, columns: Columns) -> Iterator[Record]:
    """Yield the records of a CSV or JSON file called `name` and enter its columns, as they come.

    Raises:
        SourceFileError: the file can't be read, or has no header or a wrong one.
    """
    with _opened(file, name, spec.encoding) as lines:
        kind = spec.format_of(file)
        records = (
            _csv_records(lines, name, spec, file, columns)
            if kind == "csv"
            else _json_records(lines, name, spec, columns, by_line=kind == "ndjson")
        )
        yield from map(_checked, records)


@contextmanager
def _opened(file: Path, name: str, encoding: str) -> Iterator[TextIO]:
    # A byte that isn't of the encoding costs its record, not the file.
    encoding = "utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding
    try:
        with file.open("rb") as data, _unpacked(file, data) as plain:
            yield TextIOWrapper(plain, encoding=encoding, errors="surrogateescape", newline="")
    except UnicodeError as error:
        raise SourceFileError(f"{name}: not text in {encoding}: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise SourceFileError(f"{name}: can't be read: {error}") from None


def _unpacked(file: Path, data: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=data)) if file.suffix.lower() == ".gz" else data


def _checked(record: Record) -> Record:
    try:
        record.text.encode()
    except UnicodeEncodeError:
        record.text = record.text.encode(errors="surrogateescape").decode(errors="backslashreplace")
        record.values = []
        record.problem = "holds bytes that are not of the file's encoding"
    if len(record.text) > MAX_TEXT:
        record.text = record.text[:MAX_TEXT]
    return record


class _Lines:
    """Physical lines, counted; those of a broken record can be put back to be read on their own."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.read = 0
        self.record: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.read += 1
        self.record.append(line)
        return line

    def put_back(self) -> None:
        """Put back all lines of the current record but its first."""
        self._again.extendleft(reversed(self.record[1:]))
        self.read -= len(self.record) - 1
        del self.record[1:]


def _csv_records(lines: Iterable[str], name: str, spec: FileSpec, file: Path, columns: Columns) -> Iterator[Record]:
    source = _Lines(lines)
    reader = csv.reader(
        source,
        delimiter=spec.delimiter_of(file),
        quotechar=spec.quote or None,
        quoting=csv.QUOTE_MINIMAL if spec.quote else csv.QUOTE_NONE,
        escapechar=spec.escape,
        doublequote=spec.escape is None,
        strict=True,
    )
    header = _header(reader, name) if spec.header else spec.columns
    places = [columns.place(column) for column in header]
    width = max(places) + 1
    nulls = {"", *spec.nullstr}
    while True:
        source.record.clear()
        line = source.read + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            source.put_back()
            yield Record(name, line, _text(source), problem=str(error))
            continue
        if len(fields) == len(places):
            values: list[str | None] = [None] * width
            for place, field in zip(places, fields, strict=True):
                values[place] = None if field in nulls else field
            yield Record(name, line, _text(source), values)
        elif fields:
            yield Record(name, line, _text(source), problem=_wrong_number(len(places), len(fields)))


def _text(source: _Lines) -> str:
    return "".join(source.record).rstrip("\r\n")


def _wrong_number(expected: int, found: int) -> str:
    return f"expected {expected} fields, found {found}"


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        fields = next((fields for fields in reader if fields), None)
    except csv.Error as error:
        raise SourceFileError(f"{name}: its first line can't be read as a header: {error}") from None
    if fields is None:
        raise SourceFileError(f"{name}: is empty; it should have a header line")
    header = [field.strip() or f"column{number}" for number, field in enumerate(fields, 1)]
    seen: set[str] = set()
    for column in header:
        if column.casefold() in seen:
            raise SourceFileError(f"{name}: its header names the column {column} twice")
        seen.add(column.casefold())
    return header


def _json_records(lines: TextIO, name: str, spec: FileSpec, columns: Columns, *, by_line: bool) -> Iterator[Record]:
    elements = enumerate(lines, 1) if by_line else _lines_or_array(lines, name)
    nulls = set(spec.nullstr)
    for line, element in elements:
        text = element.strip()
        if not text:
            continue
        try:
            record = Record(name, line, text, _values(_OBJECT.decode(text), columns, nulls))
        except msgspec.ValidationError:
            yield Record(name, line, text, problem="not a JSON object")
        except (msgspec.DecodeError, UnicodeError) as error:
            yield Record(name, line, text, problem=f"not JSON: {error}")
        else:
            yield record


def _values(content: dict[str, msgspec.Raw], columns: Columns, nulls: set[str]) -> list[str | None]:
    for key in content:
        columns.place(key)
    values: list[str | None] = [None] * len(columns.index)
    for key, raw in content.items():
        data = bytes(raw)
        value = _TEXT.decode(data) if data[:1] == b'"' else data.decode()
        values[columns.index[key]] = None if data == b"null" or value in nulls else value
    return values


def _lines_or_array(lines: TextIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each line of a file, or of each element where the file is one JSON array."""
    number, line = next(((n, each) for n, each in enumerate(lines, 1) if each.strip()), (1, ""))
    if line.lstrip().startswith("["):
        yield from _elements(line + lines.read(), number, name)
    else:
        yield number, line
        yield from enumerate(lines, number + 1)


def _elements(text: str, line: int, name: str) -> Iterator[tuple[int, str]]:
    data = text.encode(errors="surrogateescape")
    try:
        elements = _ARRAY.decode(data)
    except msgspec.DecodeError as error:
        raise SourceFileError(f"{name}: not a JSON array: {error}") from None
    end = 0
    for element in elements:
        raw = bytes(element)
        start = data.index(raw, end)
        line += data.count(b"\n", end, start)
        yield line, raw.decode(errors="surrogateescape")
        line += raw.count(b"\n")
        end = start + len(raw)
