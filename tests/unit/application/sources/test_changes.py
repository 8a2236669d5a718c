"""What becomes of rows that changed: the commands that the domain has for it, or a rejected row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from application.ingest.messages import RejectedRow
from application.ports.file_source import MappingError
from application.ports.row_mapping import MappedRow
from application.sources.changes import UNSUPPORTED, changes
from domain.catalog.commands import RegisterCustomer, RetireCustomer, ReviseCustomer
from domain.inventory.commands import CountStock, SetReorderPoint
from domain.order.commands import (
    AddOrderLines,
    CancelOrder,
    CancelOrderLines,
    HoldOrder,
    IncreaseOrderLines,
    LineQuantity,
    OrderedLine,
    PlaceOrder,
    ReleaseOrder,
    RevisePromise,
    ShipOrderLines,
)
from domain.shipment.commands import PlanShipment, ShipmentLine, VoidShipment

AT = datetime(2026, 3, 2, tzinfo=UTC)
SEEN = datetime(2026, 3, 9, tzinfo=UTC)
STOCK: dict[str, Any] = {"product_id": "A", "location_id": "main", "occurred_at": AT}


def row(command: Any, **more: Any) -> MappedRow:
    return MappedRow("10_X.sql", "1", "rows 1", "[1]", "orders", command, **more)


def asked(before: Any, after: Any, **more: Any) -> list[Any]:
    """The commands between two states, and the details of what is rejected."""
    made = changes([row(before)] if before is not None else [], [row(after, **more)] if after is not None else [], SEEN)
    return [each.command if each.rejected is None else each.rejected.detail for each in made]


def order(*lines: tuple[int, int], **more: Any) -> PlaceOrder:
    ordered = [OrderedLine(line_no=no, product_id=f"P{no}", quantity=n, unit_price=Decimal(2)) for no, n in lines]
    return PlaceOrder(order_id="o1", occurred_at=AT, customer_id="c1", currency="EUR", lines=tuple(ordered), **more)


def customer(name: str, at: datetime = AT) -> RegisterCustomer:
    return RegisterCustomer(customer_id="c1", occurred_at=at, name=name)


def test_what_is_new_is_its_command_and_what_is_the_same_is_none() -> None:
    assert asked(None, order((1, 2))) == [order((1, 2))]
    assert asked(order((1, 2)), order((1, 2))) == []


def test_an_order_that_is_gone_is_cancelled() -> None:
    assert asked(order((1, 2)), None) == [CancelOrder(order_id="o1", occurred_at=SEEN, reason="deleted at the source")]


def test_lines_with_fewer_units_and_without_any_are_cancelled_at_once() -> None:
    assert asked(order((1, 5), (2, 3), (3, 1)), order((1, 4), (3, 1))) == [
        CancelOrderLines(
            order_id="o1",
            occurred_at=SEEN,
            lines=(LineQuantity(line_no=1, quantity=1), LineQuantity(line_no=2, quantity=3)),
            reason="changed at the source",
        )
    ]


def test_lines_that_are_new_are_added_and_more_units_ordered() -> None:
    before, after = order((1, 5), (2, 3), (3, 4)), order((1, 8), (3, 1), (4, 2), (5, 6))
    assert asked(before, after) == [
        CancelOrderLines(
            order_id="o1",
            occurred_at=SEEN,
            lines=(LineQuantity(line_no=2, quantity=3), LineQuantity(line_no=3, quantity=3)),
            reason="changed at the source",
        ),
        IncreaseOrderLines(order_id="o1", occurred_at=SEEN, lines=(LineQuantity(line_no=1, quantity=3),)),
        AddOrderLines(order_id="o1", occurred_at=SEEN, lines=after.lines[2:]),
    ]


def test_more_units_of_a_line_that_is_not_what_it_was_are_rejected_with_it() -> None:
    cheaper = OrderedLine(line_no=1, product_id="P1", quantity=8, unit_price=Decimal(1))
    after = order((2, 4))
    after = replace(after, lines=(cheaper, *after.lines))
    increased, rejected = asked(order((1, 5), (2, 3)), after)
    assert increased.lines == (LineQuantity(line_no=2, quantity=1),)
    assert rejected.startswith("rows 1: line 1: unit_price was 2, is 1; line 1: quantity was 5, is 8: nothing")


def test_an_order_that_gets_its_first_lines_is_placed() -> None:
    assert asked(order(), order((1, 2))) == [order((1, 2))]


def test_a_promise_is_revised_but_not_given_or_taken() -> None:
    first, later = order((1, 1), promised_date=date(2026, 4, 1)), order((1, 1), promised_date=date(2026, 4, 3))
    assert [type(command) for command in asked(first, later)] == [RevisePromise]
    (given,) = asked(order((1, 1)), first)
    assert given.startswith("rows 1: promised_date was none, is 2026-04-01: nothing can be asked")
    (taken,) = asked(first, order((1, 1)))
    assert "promised_date was 2026-04-01, is none" in taken


def test_the_time_of_a_change_is_the_sources_where_it_tells_one() -> None:
    told = datetime(2026, 3, 5, tzinfo=UTC)
    assert [command.occurred_at for command in asked(customer("a"), customer("b"))] == [SEEN]
    assert [command.occurred_at for command in asked(customer("a"), customer("b", told))] == [told]
    assert [command.occurred_at for command in asked(customer("a"), customer("b"), changed=told)] == [told]


def test_an_entry_is_revised_or_retired_and_its_time_alone_is_no_change() -> None:
    assert asked(customer("a"), customer("b")) == [ReviseCustomer(customer_id="c1", occurred_at=SEEN, name="b")]
    assert asked(customer("a"), None) == [RetireCustomer(customer_id="c1", occurred_at=SEEN)]
    assert asked(customer("a"), customer("a", SEEN)) == []


def test_a_level_that_changed_is_stated_again() -> None:
    assert asked(CountStock(**STOCK, counted=5), CountStock(**STOCK, counted=4)) == [
        CountStock(**{**STOCK, "occurred_at": SEEN}, counted=4)
    ]
    (gone,) = asked(SetReorderPoint(**STOCK, reorder_point=5), None)
    assert gone == "rows 1: the row is gone: nothing can be asked for that after SetReorderPoint"


def test_a_hold_that_is_gone_is_released_and_a_plan_voided() -> None:
    hold = HoldOrder(order_id="o1", occurred_at=AT, reason="credit")
    assert asked(hold, None) == [ReleaseOrder(order_id="o1", occurred_at=SEEN)]
    line = ShipmentLine(line_no=1, product_id="A", quantity=1)
    plan = PlanShipment(shipment_id="s1", occurred_at=AT, order_id="o1", lines=(line,))
    assert asked(plan, None) == [VoidShipment(shipment_id="s1", occurred_at=SEEN, reason="deleted at the source")]


def test_a_fact_that_changed_is_rejected_with_both_values() -> None:
    lines = (LineQuantity(line_no=1, quantity=1),)
    shipped = ShipOrderLines(order_id="o1", occurred_at=AT, lines=lines, carrier_id="dhl")
    again = ShipOrderLines(order_id="o1", occurred_at=AT, lines=lines, carrier_id="ups")
    made = list(changes([row(shipped)], [row(again)], SEEN))
    assert [each.rejected.code for each in made if each.rejected] == [UNSUPPORTED]
    assert asked(shipped, again) == [
        "rows 1: carrier_id was dhl, is ups: nothing can be asked for that after ShipOrderLines"
    ]


def shipped(*lines: tuple[int, int], **more: Any) -> ShipOrderLines:
    units = tuple(LineQuantity(line_no=no, quantity=quantity) for no, quantity in lines)
    return ShipOrderLines(order_id="o1", occurred_at=AT, lines=units, **more)


def test_units_that_left_beside_those_known_are_shipped_at_the_time_that_the_source_says() -> None:
    assert asked(shipped((1, 5), (2, 3)), shipped((1, 5), (2, 4), (3, 6))) == [shipped((2, 1), (3, 6))]


@pytest.mark.parametrize(
    "after",
    [shipped((1, 4), (2, 9)), shipped((2, 9)), shipped((2, 3), (1, 5)), shipped((1, 5), (2, 9), carrier_id="ups")],
)
def test_a_shipping_that_lost_units_or_says_other_things_is_rejected(after: ShipOrderLines) -> None:
    (rejected,) = asked(shipped((1, 5), (2, 3)), after)
    assert rejected.endswith("nothing can be asked for that after ShipOrderLines")


def test_a_row_that_could_not_be_mapped_before_is_new() -> None:
    wrong = row(None, rejected=RejectedRow("RowRejected", "wrong", "{}"))
    assert list(changes([wrong], [row(customer("a"))], SEEN)) == [row(customer("a"))]
    assert list(changes([wrong], [wrong], SEEN)) == []
    assert list(changes([row(customer("a"))], [wrong], SEEN)) == [wrong]


def test_two_rows_that_are_the_same_are_a_mistake_of_the_mapping() -> None:
    with pytest.raises(MappingError, match=r"10_X\.sql: two rows are 1; tell them apart by a column _id"):
        list(changes([], [row(customer("a")), row(customer("b"))], SEEN))
