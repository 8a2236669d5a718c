"""Silver catalog: every version of every product, supplier, customer, carrier and location (type 2).

Versions stand in the order of business time, so that a revision dated back takes its place between
others; their validities never overlap and leave no gap. The earliest reaches back before all facts.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, make_dataclass
from datetime import UTC, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any, get_type_hints

from application.codec import Recorded
from application.projections.subject import Rows, Subject
from application.projections.table import Table
from domain.catalog import details, events

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Where the validity of an entry's earliest version starts, unless it is older itself."""

_IN_ORDER = attrgetter("effective_at", "version")
_RETIREMENTS = (
    events.ProductRetired,
    events.SupplierRetired,
    events.CustomerRetired,
    events.CarrierRetired,
    events.LocationRetired,
)


@dataclass(slots=True)
class CatalogView:
    """The versions of an entry in the order of their validity."""

    versions: list[Any]
    last_position: int


def surrogate_key(stream_id: str, effective_at: datetime, version: int) -> int:
    """Return the key of a version: the first 63 bits of a hash over its entry, its start and its number.

    The first version's hash is over the entry alone, which is all that is known of a member that facts speak of
    before the catalog does: so its row is completed, and the facts keep their key.
    """
    name = stream_id if version == 1 else f"{stream_id}|{effective_at.astimezone(UTC).isoformat()}|{version}"
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big") >> 1


def _row_class(kind: str, attributes: type) -> type:
    """Build the row class of a kind, so that its columns follow the domain's attributes by themselves."""
    hints = get_type_hints(attributes)
    columns: list[tuple[str, Any]] = [
        ("stream_id", str),
        (f"{kind}_key", int),
        (f"{kind}_id", str),
        ("version", int),
        *((each.name, hints[each.name]) for each in fields(attributes)),
        ("retired", bool),
        ("effective_at", datetime),
        ("valid_from", datetime),
        ("valid_to", datetime | None),
        ("is_current", bool),
        ("first_position", int),
        ("last_position", int),
    ]
    comment = f"One row per version of a {kind}; `valid_to` is exclusive, null for the current version."
    name = f"{kind.capitalize()}VersionRow"
    namespace = {"__doc__": comment, "__module__": __name__}
    return make_dataclass(name, columns, slots=True, namespace=namespace)


class _Kind:
    """One kind of entry: how its events become versions."""

    def __init__(self, kind: str, attributes: type) -> None:
        self.kind = kind
        self.table = Table(f"{kind}_versions", _row_class(kind, attributes), (f"{kind}_id", "version"))
        self.names = tuple(each.name for each in fields(attributes))

    def fold(self, view: CatalogView | None, recorded: Recorded) -> CatalogView:
        """Return the entry's versions after one event; an event that was folded before changes nothing."""
        if view is None:
            view = CatalogView([], 0)
        elif recorded.position <= view.last_position:
            return view
        _insert(view.versions, self._version(view.versions, recorded), recorded.position)
        view.last_position = recorded.position
        return view

    def load(self, rows: Rows) -> CatalogView:
        """Return the view of an entry's versions."""
        versions = sorted(rows[self.table.name], key=_IN_ORDER)
        return CatalogView(versions, max(each.last_position for each in versions))

    def rows(self, view: CatalogView) -> Mapping[str, Iterable[Any]]:
        """Return an entry's versions."""
        return {self.table.name: view.versions}

    def _version(self, versions: list[Any], recorded: Recorded) -> Any:
        event, at = recorded.event, recorded.event.occurred_at
        retired = isinstance(event, _RETIREMENTS)
        source = _known_at(versions, at) if retired else event
        return self.table.row(
            recorded.stream_id,
            surrogate_key(recorded.stream_id, at, recorded.version),
            getattr(event, f"{self.kind}_id"),
            recorded.version,
            *(getattr(source, name) for name in self.names),
            retired,
            at,
            at,
            None,
            True,
            recorded.position,
            recorded.position,
        )


def _known_at(versions: list[Any], at: datetime) -> Any:
    """Return the version that a retirement at that time ends: the last before it, else the earliest."""
    before = [version for version in versions if version.effective_at <= at]
    return before[-1] if before else versions[0]


def _insert(versions: list[Any], new: Any, position: int) -> None:
    """Put a version in its place and set the validity of those it touches."""
    insort(versions, new, key=_IN_ORDER)
    index = versions.index(new)
    if index:
        before = versions[index - 1]
        before.valid_to, before.is_current, before.last_position = new.effective_at, False, position
    else:
        new.valid_from = min(BEGINNING, new.effective_at)
    later = versions[index + 1 :]
    if later:
        new.valid_to, new.is_current = later[0].effective_at, False
        if not index:
            later[0].valid_from, later[0].last_position = later[0].effective_at, position
    if new.retired:
        for version in later:
            version.retired, version.last_position = True, position


def _subject(kind: str, attributes: type) -> Subject:
    of = _Kind(kind, attributes)
    return Subject(name=f"{kind}s", prefix=f"{kind}-", tables=(of.table,), fold=of.fold, load=of.load, rows=of.rows)


SUBJECTS: tuple[Subject, ...] = (
    _subject("product", details.ProductDetails),
    _subject("supplier", details.SupplierDetails),
    _subject("customer", details.CustomerDetails),
    _subject("carrier", details.CarrierDetails),
    _subject("location", details.LocationDetails),
)
