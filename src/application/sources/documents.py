"""Documents of the catalog as commands: what each collection's documents must look like, and what they then say.

A document that lacks a field, or has one of another type, is rejected with collection, `_id` and field; nothing in
it is guessed or converted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from application.aggregates import CATALOG
from application.ingest.limits import EARLIEST, MAX_ID, mistimed, too_long
from application.ingest.messages import MESSAGE_TYPES, RejectedRow, is_identifier, type_name
from application.ports.product_catalog import Document
from application.ports.row_mapping import MappedRow
from application.ports.source_database import SourceTable
from application.ports.source_ledger import KeptRow
from application.sources.changes import UNSUPPORTED, changes
from domain.catalog import commands, details
from domain.shared.refusal import Refusal

REJECTED = "DocumentRejected"
KEY, CHANGED, RETIRED = "_id", "updated_at", "retired"
UNTOLD = EARLIEST
"""The time of documents that don't tell when they changed, until it is known when that was seen."""
EXCERPT = 10_000
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number", Decimal: "a number"}


class _Shape(NamedTuple):
    """What documents of a collection say: the fields that they take, and those that must not be missing."""

    kind: str
    takes: Mapping[str, type]
    needs: tuple[str, ...]
    register: type
    retire: type


def _shape(kind: str, *needs: str) -> _Shape:
    hints = get_type_hints(getattr(details, f"{kind.capitalize()}Details"))
    takes = {name: next(iter(get_args(hint)), hint) for name, hint in hints.items()}
    register, retire = (getattr(commands, f"{verb}{kind.capitalize()}") for verb in ("Register", "Retire"))
    return _Shape(kind, takes, ("name", *needs), register, retire)


SHAPES: Mapping[str, _Shape] = {
    "suppliers": _shape("supplier", "country"),
    "carriers": _shape("carrier"),
    "locations": _shape("location", "country"),
    "customers": _shape("customer", "country"),
    "products": _shape("product", "category", "supplier_id", "unit_price", "currency"),
}
"""The collections of a catalog. A field that is needed may be null, where it is not known, but not missing."""


class _MisfitError(Exception):
    """What is wrong with a document, in words for people."""


def kept_document(document: Document) -> KeptRow:
    """Return a document as it is kept; its content is the same whatever the order of its fields."""
    content = None if document.fields is None else _ENCODER.encode(document.fields)
    return KeptRow(document.collection, document.key, document.collection, document.key, content)


class CatalogDocuments:
    """The `RowMapping` port for documents: each becomes the registration of its entry, and its retirement if it is."""

    name = "catalog"

    def __init__(self, collections: Iterable[str]) -> None:
        self.tables: Mapping[str, SourceTable] = {name: SourceTable(name, "", (KEY,), name) for name in collections}

    def describe(self, columns: Mapping[str, Collection[str]]) -> Mapping[str, Collection[str]]:
        """Return nothing: no collection looks up another one."""
        return {}

    def map(self, root: str, rows: Iterable[KeptRow]) -> Sequence[MappedRow]:
        """Return what the documents of a collection say."""
        return [mapped for row in rows if row.root == root for mapped in self._mapped(row)]

    def _mapped(self, row: KeptRow) -> Iterator[MappedRow]:
        content = row.content or b""
        shown = row.key[1:-1] if row.key.startswith('"') else row.key
        plain = MappedRow(row.table, row.key, f"{row.table} {shown}", row.group, CATALOG.topic, None)
        try:
            commands_of = self._commands(row.table, _DECODER.decode(content))
        except _MisfitError as error:
            text = content.decode()[:EXCERPT]
            yield plain._replace(rejected=RejectedRow(REJECTED, f"{plain.origin}: {error}", text))
            return
        for command in commands_of:
            retired = type(command) in _RETIREMENTS
            yield plain._replace(select=f"{row.table} {RETIRED}" if retired else row.table, command=command)

    def _commands(self, collection: str, document: Mapping[str, Any]) -> list[Any]:
        shape = SHAPES.get(collection)
        if shape is None:
            raise _MisfitError(f"{collection} is no collection of a catalog; it has {', '.join(SHAPES)}")
        of = {f"{shape.kind}_id": _identifier(document[KEY]), "occurred_at": _moment(document)}
        known = {name: _value(document, name, kind) for name, kind in shape.takes.items() if name in document}
        missing = [name for name in shape.needs if name not in document]
        if missing:
            raise _MisfitError(f"{', '.join(missing)} missing; null says that something is not known")
        if known["name"] is None:
            raise _MisfitError("name is null; an entry must have a name")
        registration = shape.register(**of, **known)
        _require_acceptable(registration)
        return [registration, shape.retire(**of)] if _value(document, RETIRED, bool) else [registration]


_RETIREMENTS = frozenset(shape.retire for shape in SHAPES.values())


def document_changes(before: Sequence[MappedRow], after: Sequence[MappedRow], moment: datetime) -> Iterator[MappedRow]:
    """Yield what leads from documents to documents; see `changes`. What is retired changes no more.

    A document of a retired entry may go, as it adds nothing; another change of it is rejected.
    """
    known = {row.group: row.command for row in before if row.command is not None and not _retires(row)}
    retired = {row.group for row in before if _retires(row)}
    for row in changes(_without(before, retired), _without(after, retired), moment):
        # Where the document's own time does not move on, it does not tell when the entry was retired either.
        before_it = known[row.group].occurred_at if _retires(row) and row.group in known else UNTOLD
        told = row.command is None or row.command.occurred_at > before_it
        yield row if told else row._replace(command=replace(row.command, occurred_at=moment))
    still = {row.group for row in after if _retires(row)}
    for row in after:
        if row.group not in retired or _retires(row):
            continue
        if row.group not in still or not _same(row.command, known.get(row.group)):
            detail = f"{row.origin}: it changed, but was retired before; what is retired changes no more"
            text = _ENCODER.encode(row.command).decode()
            yield row._replace(command=None, rejected=RejectedRow(UNSUPPORTED, detail, text))


def _retires(row: MappedRow) -> bool:
    return type(row.command) in _RETIREMENTS


def _without(rows: Iterable[MappedRow], groups: Collection[str]) -> list[MappedRow]:
    return [row for row in rows if row.group not in groups]


def _same(command: Any, other: Any) -> bool:
    return other is not None and bool(replace(command, occurred_at=other.occurred_at) == other)


def _require_acceptable(command: Any) -> None:
    """Raise _MisfitError for what ingest or the domain would refuse, so that the document counts as never sent.

    Else its correction would be the revision of an entry that was never registered.
    """
    if not is_identifier(CATALOG.stream_of(command)):
        raise _MisfitError(f"{KEY} is no identifier, which has 1 to {MAX_ID} printable characters")
    message_type = MESSAGE_TYPES[type_name(type(command))]
    wrong = mistimed(message_type, command) or too_long(message_type, command)
    if wrong is not None:
        raise _MisfitError(wrong.detail.replace("occurred_at", CHANGED))
    try:
        CATALOG.decide(None, command)
    except Refusal as refusal:
        raise _MisfitError(f"{type(refusal).__name__}: {refusal}") from None


def _identifier(value: Any) -> str:
    match value:
        case {"$oid": str(identifier)}:
            return identifier
        case str():
            return value
        case int() | Decimal() if not isinstance(value, bool) and value == int(value):
            return str(int(value))
        case _:
            said = _said(value)
            raise _MisfitError(f"{KEY} is {said}; it takes text or a whole number, the id that orders speak of")


def _moment(document: Mapping[str, Any]) -> datetime:
    value = document.get(CHANGED)
    if value is None:
        return UNTOLD
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        raise _MisfitError(f"{CHANGED} is {_said(value)}; it takes a time as in 2026-05-04T12:00:00Z") from None
    if moment.tzinfo is None:
        raise _MisfitError(f"{CHANGED} is {_said(value)}, without an offset from UTC")
    return moment


def _value(document: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a field's value as the command takes it; a number's kind may differ where its value does not."""
    value = document.get(name)
    if value is None or (kind in {str, bool} and isinstance(value, kind) and "\0" not in str(value)):
        return value
    number = kind not in {str, bool} and isinstance(value, int | Decimal) and not isinstance(value, bool)
    if number and (kind is not int or value == int(value)):
        return kind(value)
    raise _MisfitError(f"{name} is {_said(value)}; it takes {_NAMES[kind]}")


def _said(value: Any) -> str:
    text = _ENCODER.encode(value).decode()
    text = text if len(text) <= 100 else f"{text[:100]}…"
    match value:
        case str():
            return f"the text {text}"
        case dict():
            return f"an object: {text}"
        case list():
            return f"a list: {text}"
        case _:
            return text
