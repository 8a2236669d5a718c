"""From rows of a mapping before and after to what must be asked of the domain: pure.

A row that is new is its command. A row that changed or is gone becomes what the domain offers for it: an order is
cancelled in part or gets further lines, a catalog entry revised or retired, a stock counted again. What it offers
nothing for becomes a rejected row, so that it ends in quarantine with both values instead of being lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec

from application.ingest.messages import RejectedRow
from application.ports.file_source import MappingError
from application.ports.row_mapping import MappedRow
from application.sources.orders import GONE, commands_for_order, further_units
from domain.catalog import commands as catalog
from domain.inventory.commands import CountStock, SetReorderPoint
from domain.order.commands import (
    DeliverOrderLines,
    HoldOrder,
    PlaceOrder,
    ReleaseOrder,
    ReturnOrderLines,
    ShipOrderLines,
)
from domain.shipment.commands import PlanShipment, VoidShipment

UNSUPPORTED = "UnsupportedChange"
_LEVELS = (CountStock, SetReorderPoint)
_OF_LINES = (ShipOrderLines, DeliverOrderLines, ReturnOrderLines)
_KINDS = ("Product", "Supplier", "Customer", "Carrier", "Location")
_REVISE: dict[type, type] = {getattr(catalog, f"Register{kind}"): getattr(catalog, f"Revise{kind}") for kind in _KINDS}
_RETIRE: dict[type, type] = {getattr(catalog, f"Register{kind}"): getattr(catalog, f"Retire{kind}") for kind in _KINDS}


def changes(before: Sequence[MappedRow], after: Sequence[MappedRow], moment: datetime) -> Iterator[MappedRow]:
    """Yield what leads from `before` to `after`, in the order of the mapping; what is gone comes first.

    `moment` is when the source was seen so: the business time of changes for which the source tells none.

    Raises:
        MappingError: two rows of a SELECT are the same.
    """
    were, are = _by_place(before), _by_place(after)
    for place, row in were.items():
        if place not in are and row.rejected is None:
            yield from _ended(row, moment)
    for place, row in are.items():
        was = were.get(place)
        if was is None or (was.rejected is not None and row.rejected is None):
            yield row
        elif (was.command, was.rejected) != (row.command, row.rejected):
            yield from [row] if row.rejected is not None else _changed(was, row, moment)


def _by_place(rows: Sequence[MappedRow]) -> dict[tuple[str, str], MappedRow]:
    by_place: dict[tuple[str, str], MappedRow] = {}
    for row in rows:
        if by_place.setdefault((row.select, row.key), row) is not row:
            raise MappingError(f"{row.select}: two rows are {row.key}; tell them apart by a column _id")
    return by_place


def _changed(was: MappedRow, row: MappedRow, moment: datetime) -> Iterator[MappedRow]:
    before, after = was.command, row.command
    at = row.changed or (after.occurred_at if after.occurred_at > before.occurred_at else moment)
    if isinstance(after, PlaceOrder):
        commands, problems = commands_for_order(before, after, at)
    elif type(after) in _REVISE:
        commands, problems = _revised(before, after, at), []
    elif isinstance(after, _LEVELS):
        commands, problems = [_at(after, at)], []
    elif isinstance(after, _OF_LINES) and (further := further_units(before, after)):
        commands, problems = [further], []
    else:
        commands, problems = [], _differences(before, after)
    yield from _asked(row, commands, problems)


def _ended(row: MappedRow, moment: datetime) -> Iterator[MappedRow]:
    command = row.command
    if isinstance(command, PlaceOrder):
        commands, problems = commands_for_order(command, None, moment)
    elif type(command) in _RETIRE:
        commands, problems = [_addressed(_RETIRE[type(command)], command, moment)], []
    elif isinstance(command, HoldOrder):
        commands, problems = [ReleaseOrder(order_id=command.order_id, occurred_at=moment)], []
    elif isinstance(command, PlanShipment):
        commands, problems = [VoidShipment(shipment_id=command.shipment_id, occurred_at=moment, reason=GONE)], []
    else:
        commands, problems = [], ["the row is gone"]
    yield from _asked(row, commands, problems)


def _asked(row: MappedRow, commands: Sequence[Any], problems: Sequence[str]) -> Iterator[MappedRow]:
    for command in commands:
        yield row._replace(command=command)
    if problems:
        name = type(row.command).__name__
        detail = f"{row.origin}: {'; '.join(problems)}: nothing can be asked for that after {name}"
        text = msgspec.json.encode(row.command).decode()
        yield row._replace(command=None, rejected=RejectedRow(UNSUPPORTED, detail, text))


def _revised(before: Any, after: Any, at: datetime) -> list[Any]:
    """Replace what is known of an entry; where only its time differs, nothing of it changed."""
    if _known(before) == _known(after):
        return []
    return [_REVISE[type(after)](**{**_values(after), "occurred_at": at})]


def _known(command: Any) -> Mapping[str, Any]:
    return {name: value for name, value in _values(command).items() if name != "occurred_at"}


def _at(command: Any, moment: datetime) -> Any:
    return type(command)(**{**_values(command), "occurred_at": moment})


def _addressed(kind: type, command: Any, moment: datetime) -> Any:
    """Build a command of a kind whose fields, but its time, are fields of another command."""
    return kind(**{name: value for name, value in _values(_at(command, moment)).items() if name in _names(kind)})


def _differences(before: Any, after: Any) -> list[str]:
    now = _values(after)
    return [f"{name} was {value}, is {now[name]}" for name, value in _values(before).items() if value != now[name]]


def _values(command: Any) -> dict[str, Any]:
    return {name: getattr(command, name) for name in _names(type(command))}


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]
