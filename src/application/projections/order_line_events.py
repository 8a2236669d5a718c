"""The rows of silver order line events: what happened to each line, one row an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from application.codec import Recorded


class OrderLineEventRow(NamedTuple):
    """One row per event of an order line: its units, and the line's units in that state after it."""

    stream_id: str
    version: int
    line_no: int
    kind: str
    quantity: int
    level: int
    occurred_at: datetime
    location_id: str | None
    carrier_id: str | None
    shipment_id: str | None
    first_position: int
    last_position: int


Said = tuple[int, str | None, str | None, str | None]
"""What an event says of its line: the units in the state that it leads to, location, carrier and shipment."""
_row: Callable[[tuple[Any, ...]], OrderLineEventRow] = partial(tuple.__new__, OrderLineEventRow)
"""Half the time of `OrderLineEventRow(...)`."""


def placed(recorded: Recorded, kind: str = "placed") -> list[OrderLineEventRow]:
    """Return a row for each line of an order that was just placed."""
    position, stream_id, version, event = recorded
    at = event.occurred_at
    return [
        OrderLineEventRow(
            stream_id,
            version,
            line.line_no,
            kind,
            line.quantity,
            line.quantity,
            at,
            None,
            None,
            None,
            position,
            position,
        )
        for line in event.lines
    ]


def added(recorded: Recorded) -> list[OrderLineEventRow]:
    """Return a row for each line that an order got later."""
    return placed(recorded, "added")


def increased(recorded: Recorded) -> list[OrderLineEventRow]:
    """Return a row for each line that got more units."""
    position, stream_id, version, event = recorded
    return [
        OrderLineEventRow(
            stream_id,
            version,
            line.line_no,
            "increased",
            line.quantity,
            line.ordered,
            event.occurred_at,
            None,
            None,
            None,
            position,
            position,
        )
        for line in event.lines
    ]


def maker(kind: str, said: Callable[[Any], Said]) -> Callable[[Recorded], OrderLineEventRow]:
    """Return the function that makes the row of an event of a line, of what the event `said`."""

    def make(recorded: Recorded) -> OrderLineEventRow:
        position, stream_id, version, event = recorded
        level, location_id, carrier_id, shipment_id = said(event)
        return _row(
            (
                stream_id,
                version,
                event.line_no,
                kind,
                event.quantity,
                level,
                event.occurred_at,
                location_id,
                carrier_id,
                shipment_id,
                position,
                position,
            )
        )

    return make
