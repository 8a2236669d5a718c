"""What must be asked of an order so that it becomes what the source says now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from domain.order.commands import (
    AddOrderLines,
    CancelOrder,
    CancelOrderLines,
    DeliverOrderLines,
    IncreaseOrderLines,
    LineQuantity,
    OrderedLine,
    PlaceOrder,
    ReturnOrderLines,
    RevisePromise,
    ReviseRequestedDate,
    ShipOrderLines,
)

LineFact = TypeVar("LineFact", ShipOrderLines, DeliverOrderLines, ReturnOrderLines)

REASON = "changed at the source"
GONE = "deleted at the source"
_HANDLED = {"lines", "requested_date", "promised_date"}


def commands_for_order(before: PlaceOrder, after: PlaceOrder | None, moment: datetime) -> tuple[list[Any], list[str]]:
    """Return the commands that lead from one state of an order to the next, and the changes that none can express.

    An order that had no lines was never placed; it is placed now.
    """
    if after is None:
        return [CancelOrder(order_id=before.order_id, occurred_at=moment, reason=GONE)], []
    if not before.lines:
        return [after], []
    problems = [
        f"{field.name} was {_said(getattr(before, field.name))}, is {_said(getattr(after, field.name))}"
        for field in fields(PlaceOrder)
        if field.name not in _HANDLED and getattr(before, field.name) != getattr(after, field.name)
    ]
    commands = [*_dates(before, after, moment, problems), *_lines(before, after, moment, problems)]
    return commands, problems


def further_units(before: LineFact, after: LineFact) -> LineFact | None:
    """Return what a fact of an order's lines says of units beyond those it named; None where it says other things."""
    were = {line.line_no: line.quantity for line in before.lines}
    further = [
        LineQuantity(line_no=line.line_no, quantity=line.quantity - were.get(line.line_no, 0)) for line in after.lines
    ]
    same = replace(after, lines=before.lines) == before and were.keys() <= {line.line_no for line in after.lines}
    more = tuple(line for line in further if line.quantity)
    if not same or not more or any(line.quantity < 0 for line in more):
        return None
    return replace(after, lines=more)


def _dates(before: PlaceOrder, after: PlaceOrder, moment: datetime, problems: list[str]) -> Iterator[Any]:
    address: dict[str, Any] = {"order_id": after.order_id, "occurred_at": moment, "reason": REASON}
    for name, command in (("requested_date", ReviseRequestedDate), ("promised_date", RevisePromise)):
        was, now = getattr(before, name), getattr(after, name)
        if was == now:
            continue
        if now is None or (was is None and command is RevisePromise):
            problems.append(f"{name} was {_said(was)}, is {_said(now)}")
        else:
            yield command(**address, **{name: now})


def _lines(before: PlaceOrder, after: PlaceOrder, moment: datetime, problems: list[str]) -> Iterator[Any]:
    now = {line.line_no: line for line in after.lines}
    known = {line.line_no for line in before.lines}
    fewer, more = [], []
    for line in before.lines:
        left = now.get(line.line_no)
        units = (left.quantity if left is not None else 0) - line.quantity
        unlike = _line_problems(line, left) if left is not None else []
        problems += unlike
        if units < 0:
            fewer.append(LineQuantity(line_no=line.line_no, quantity=-units))
        elif units > 0 and not unlike:
            more.append(LineQuantity(line_no=line.line_no, quantity=units))
    added = tuple(line for line in after.lines if line.line_no not in known)
    address: dict[str, Any] = {"order_id": after.order_id, "occurred_at": moment}
    if fewer:
        yield CancelOrderLines(**address, lines=tuple(fewer), reason=REASON)
    if more:
        yield IncreaseOrderLines(**address, lines=tuple(more))
    if added:
        yield AddOrderLines(**address, lines=added)


def _line_problems(before: OrderedLine, after: OrderedLine) -> list[str]:
    """Say what no command expresses; more units of a line that is not what it was are among it."""
    changed = [name for name in ("product_id", "unit_price", "discount") if _differ(before, after, name)]
    if changed and after.quantity > before.quantity:
        changed.append("quantity")
    return [
        f"line {before.line_no}: {name} was {_said(getattr(before, name))}, is {_said(getattr(after, name))}"
        for name in changed
    ]


def _differ(before: OrderedLine, after: OrderedLine, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
