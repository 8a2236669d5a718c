from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from application.projections.orders import SUBJECT
from domain.order import events
from domain.order.commands import AddOrderLines, OrderedLine, PlaceOrder
from domain.order.order import decide, evolve
from tests.unit.application.projections.stream import rows_of, utc

DAY = {n: utc(f"2024-03-{n:02}") for n in range(1, 20)}


def placed(*lines: OrderedLine, **changes: Any) -> events.OrderPlaced:
    values: dict[str, Any] = {
        "occurred_at": DAY[1],
        "order_id": "o1",
        "customer_id": "c1",
        "currency": "EUR",
        "lines": lines or (line(1, 10, "2.50"),),
        "freight": Decimal(0),
        "requested_date": date(2024, 3, 10),
        "promised_date": None,
        "carrier_id": "dhl",
        "ship_to_city": "Reims",
        "ship_to_country": "France",
    }
    return events.OrderPlaced(**{**values, **changes})


def line(no: int, quantity: int, price: str, discount: str = "0") -> OrderedLine:
    return OrderedLine(
        line_no=no,
        product_id=f"p{no}",
        quantity=quantity,
        unit_price=Decimal(price),
        discount=Decimal(discount),
    )


def allocated(day: int, quantity: int, **totals: int) -> events.OrderLineAllocated:
    return events.OrderLineAllocated(
        occurred_at=DAY[day], line_no=1, quantity=quantity, location_id="hamburg", **totals
    )


def shipped(day: int, quantity: int, shipment: str, carrier: str, **more: Any) -> events.OrderLineShipped:
    known = {"location_id": None, "open": 0, "backordered": 0, "allocated": 0, **more}
    return events.OrderLineShipped(
        occurred_at=DAY[day], line_no=1, quantity=quantity, shipment_id=shipment, carrier_id=carrier, **known
    )


def delivered(day: int, quantity: int, total: int) -> events.OrderLineDelivered:
    return events.OrderLineDelivered(
        occurred_at=DAY[day], line_no=1, quantity=quantity, shipment_id="s1", delivered=total
    )


def cancelled(day: int, quantity: int, **totals: int) -> events.OrderLineCancelled:
    known = {"open": 0, "backordered": 0, "allocated": 0, **totals}
    return events.OrderLineCancelled(occurred_at=DAY[day], line_no=1, quantity=quantity, reason="late", **known)


def one_line(*stream: Any) -> Any:
    (row,) = rows_of(SUBJECT, "order-o1", *stream)["order_lines"]
    return row


def the_order(*stream: Any) -> Any:
    (row,) = rows_of(SUBJECT, "order-o1", *stream)["orders"]
    return row


def test_a_placed_order_gives_one_row_and_a_row_for_each_line() -> None:
    rows = rows_of(SUBJECT, "order-o1", placed(line(1, 12, "14.00"), line(2, 10, "9.80", "0.15")))
    (order,) = rows["orders"]
    first, second = rows["order_lines"]
    assert (order.stream_id, order.order_id, order.status, order.line_count) == (
        "order-o1",
        "o1",
        "placed",
        2,
    )
    assert (order.held, order.hold_reason) == (False, None)
    assert (first.gross, first.net) == (Decimal("168.00"), Decimal("168.00"))
    assert (second.gross, second.net) == (Decimal("98.00"), Decimal("83.300"))
    assert (second.customer_id, second.carrier_id, second.product_id) == ("c1", "dhl", "p2")
    assert (second.ordered, second.open, second.status) == (10, 10, "open")
    assert (second.backordered, second.allocated, second.shipped, second.delivered) == (0, 0, 0, 0)
    assert (second.cancelled, second.returned, second.promise_revisions) == (0, 0, 0)
    assert (second.requested_date, second.placed_at) == (date(2024, 3, 10), DAY[1])


def test_net_amounts_are_not_rounded_even_at_the_limits() -> None:
    row = one_line(placed(line(1, 999_999_999, "999999999999.999999", "0.123457")))
    gross, net = row.gross.as_tuple(), row.net.as_tuple()
    assert int("".join(map(str, gross.digits))) == 999_999_999 * 999_999_999_999_999_999
    assert int("".join(map(str, net.digits))) == 999_999_999 * 999_999_999_999_999_999 * 876_543
    assert (gross.exponent, net.exponent) == (-6, -12)


@pytest.mark.parametrize(
    ("freight", "prices", "shares"),
    [
        ("10.00", ["1", "1", "1"], ["3.33", "3.34", "3.33"]),
        ("32.38", ["168.00", "98.00", "174.00"], ["12.36", "7.22", "12.80"]),
        ("0.01", ["1", "1", "1"], ["0.00", "0.01", "0.00"]),
        ("5.00", ["0", "0"], ["2.50", "2.50"]),
        ("0.004", ["1", "999"], ["0.00", "0.004"]),
        ("0.006", ["999", "1"], ["0.006", "0"]),
    ],
)
def test_freight_is_split_to_cents_in_proportion_to_net_and_adds_up(
    freight: str, prices: list[str], shares: list[str]
) -> None:
    lines = [line(n, 1, price) for n, price in enumerate(prices, 1)]
    rows = rows_of(SUBJECT, "order-o1", placed(*lines, freight=Decimal(freight)))["order_lines"]
    assert [row.freight for row in rows] == [Decimal(share) for share in shares]
    assert sum(row.freight for row in rows) == Decimal(freight)


def test_where_units_left_from_counts_more_than_where_they_were_allocated() -> None:
    stream = [placed(line(1, 6, "1")), allocated(2, 6, open=0, backordered=0, allocated=6)]
    unsaid = shipped(3, 2, "s1", "dhl", allocated=4, shipped=2)
    elsewhere = shipped(4, 4, "s2", "dhl", shipped=6, location_id="bremen")
    assert one_line(*stream, unsaid).location_id == "hamburg"
    assert one_line(*stream, unsaid, elsewhere).location_id == "bremen"


def test_a_confirmation_sets_the_promise_on_the_order_and_its_lines() -> None:
    confirmed = events.OrderConfirmed(occurred_at=DAY[2], promised_date=date(2024, 3, 8))
    rows = rows_of(SUBJECT, "order-o1", placed(), confirmed)
    for row in (*rows["orders"], *rows["order_lines"]):
        assert (row.confirmed_at, row.promised_date) == (DAY[2], date(2024, 3, 8))
        assert row.original_promised_date == date(2024, 3, 8)
        assert (row.first_position, row.last_position) == (101, 102)
    assert rows["orders"][0].status == "confirmed"


def test_a_revised_requested_date_stands_on_the_order_and_its_lines() -> None:
    revised = events.RequestedDateRevised(occurred_at=DAY[3], requested_date=date(2024, 3, 18), reason="closed")
    rows = rows_of(SUBJECT, "order-o1", placed(line(1, 10, "2.50"), line(2, 1, "1")), revised)
    for row in (*rows["orders"], *rows["order_lines"]):
        assert row.requested_date == date(2024, 3, 18)


def test_a_revised_promise_keeps_the_original_one() -> None:
    revised = events.PromiseRevised(
        occurred_at=DAY[3],
        promised_date=date(2024, 3, 15),
        original_promised_date=date(2024, 3, 8),
        reason="strike",
    )
    row = one_line(placed(promised_date=date(2024, 3, 8)), revised)
    assert (row.promised_date, row.original_promised_date) == (date(2024, 3, 15), date(2024, 3, 8))
    assert row.promise_revisions == 1


def test_quantities_are_the_totals_of_the_last_events() -> None:
    row = one_line(
        placed(),
        events.OrderLineBackordered(occurred_at=DAY[2], line_no=1, quantity=4, open=6, backordered=4),
        allocated(3, 6, open=0, backordered=4, allocated=6),
        shipped(4, 5, "s1", "ups", backordered=4, allocated=1, shipped=5),
        events.AllocationReleased(occurred_at=DAY[5], line_no=1, quantity=1, reason="damaged", open=1, allocated=0),
        cancelled(6, 5, cancelled=5),
        delivered(7, 5, 5),
        events.OrderLineReturned(occurred_at=DAY[8], line_no=1, quantity=2, reason="broken", returned=2),
    )
    assert (row.ordered, row.open, row.backordered, row.allocated) == (10, 0, 0, 0)
    assert (row.shipped, row.delivered, row.cancelled, row.returned) == (5, 5, 5, 2)
    assert (row.location_id, row.cancelled_at, row.returned_at) == ("hamburg", DAY[6], DAY[8])
    assert row.last_position == 108


@pytest.mark.parametrize(
    "event",
    [
        allocated(2, 3, open=1, backordered=2, allocated=3),
        events.AllocationReleased(occurred_at=DAY[2], line_no=1, quantity=1, reason="damaged", open=1, allocated=3),
        events.OrderLineBackordered(occurred_at=DAY[2], line_no=1, quantity=2, open=1, backordered=2),
        shipped(2, 4, "s1", "ups", open=1, backordered=2, allocated=3, shipped=4),
        delivered(2, 4, 4),
        cancelled(2, 4, open=1, backordered=2, allocated=3, cancelled=4),
        events.OrderLineReturned(occurred_at=DAY[2], line_no=1, quantity=4, reason="broken", returned=4),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_of_a_line_sets_the_levels_that_it_states_and_no_others(event: Any) -> None:
    before = one_line(placed())
    after = one_line(placed(), event)
    for level in ("ordered", "open", "backordered", "allocated", "shipped", "delivered", "cancelled", "returned"):
        assert getattr(after, level) == getattr(event, level, getattr(before, level)), level


def test_shipping_dates_follow_business_time_not_arrival() -> None:
    row = one_line(
        placed(),
        shipped(9, 4, "s2", "ups", open=6, shipped=4),
        shipped(5, 3, "s1", "dhl", open=3, shipped=7),
        shipped(7, 3, "s3", "gls", shipped=10),
        delivered(12, 4, 4),
        delivered(11, 3, 7),
    )
    assert (row.first_shipped_at, row.last_shipped_at, row.delivered_at) == (DAY[5], DAY[9], DAY[12])
    assert (row.shipment_id, row.shipping_carrier_id) == ("s1", "dhl")


def test_a_line_was_first_allocated_and_backordered_and_last_cancelled_and_returned_in_business_time() -> None:
    def waits(day: int, units: int) -> events.OrderLineBackordered:
        return events.OrderLineBackordered(occurred_at=DAY[day], line_no=1, quantity=1, open=8, backordered=units)

    def back(day: int, units: int) -> events.OrderLineReturned:
        return events.OrderLineReturned(occurred_at=DAY[day], line_no=1, quantity=1, reason="-", returned=units)

    row = one_line(
        placed(),
        *(waits(day, units) for units, day in enumerate((4, 2, 3), 1)),
        *(allocated(day, 1, open=5, backordered=3, allocated=units) for units, day in enumerate((7, 5, 6), 1)),
        *(cancelled(day, 1, cancelled=units) for units, day in enumerate((8, 10, 9), 1)),
        *(back(day, units) for units, day in enumerate((11, 13, 12), 1)),
    )
    assert (row.backordered_at, row.first_allocated_at) == (DAY[2], DAY[5])
    assert (row.cancelled_at, row.returned_at) == (DAY[10], DAY[13])


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        ([allocated(2, 4, open=6, backordered=0, allocated=4)], "open"),
        ([allocated(2, 10, open=0, backordered=0, allocated=10)], "allocated"),
        ([shipped(2, 4, "s1", "ups", open=6, shipped=4)], "partly_shipped"),
        ([cancelled(2, 6, open=4, cancelled=6), shipped(3, 4, "s1", "ups", shipped=4)], "shipped"),
        ([cancelled(2, 10, cancelled=10)], "cancelled"),
        ([shipped(2, 10, "s1", "ups", shipped=10), delivered(3, 10, 10)], "delivered"),
        (
            [
                shipped(2, 10, "s1", "ups", shipped=10),
                delivered(3, 10, 10),
                events.OrderLineReturned(occurred_at=DAY[4], line_no=1, quantity=10, reason="-", returned=10),
            ],
            "returned",
        ),
        (
            [events.OrderLineBackordered(occurred_at=DAY[2], line_no=1, quantity=1, open=9, backordered=1)],
            "backordered",
        ),
    ],
)
def test_a_lines_status_says_how_far_it_is(stream: list[Any], status: str) -> None:
    assert one_line(placed(), *stream).status == status


def test_holding_cancelling_and_closing_concern_the_order_alone() -> None:
    held = events.OrderHeld(occurred_at=DAY[2], reason="credit")
    released = events.OrderReleased(occurred_at=DAY[3])
    ended = events.OrderCancelled(occurred_at=DAY[4], reason="bankrupt")
    assert (the_order(placed(), held).held, the_order(placed(), held).hold_reason) == (True, "credit")
    assert (the_order(placed(), held, released).held, the_order(placed(), held, released).hold_reason) == (
        False,
        None,
    )
    order = the_order(placed(), held, released, ended)
    assert (order.status, order.cancelled_at, order.cancel_reason) == ("cancelled", DAY[4], "bankrupt")
    closed = the_order(placed(), events.OrderClosed(occurred_at=DAY[5]))
    assert (closed.status, closed.closed_at, closed.last_position) == ("closed", DAY[5], 102)
    assert one_line(placed(), held, released).last_position == 101


def test_an_event_of_one_line_leaves_the_position_of_the_others() -> None:
    rows = rows_of(SUBJECT, "order-o1", placed(line(1, 10, "1"), line(2, 5, "1")), cancelled(2, 10, cancelled=10))
    assert [row.last_position for row in rows["order_lines"]] == [102, 101]
    assert rows["orders"][0].last_position == 102


def test_each_event_of_a_line_is_a_row_with_its_units_and_those_in_that_state_after_it() -> None:
    stream = (
        placed(line(1, 10, "2.50"), line(2, 1, "1")),
        allocated(2, 6, open=4, backordered=0, allocated=6),
        shipped(3, 6, "s1", "ups", open=4, shipped=6),
        delivered(4, 6, 6),
    )
    rows = rows_of(SUBJECT, "order-o1", *stream)["order_line_events"]
    assert [tuple(row)[1:6] + tuple(row)[7:] for row in rows] == [
        (1, 1, "placed", 10, 10, None, None, None, 101, 101),
        (1, 2, "placed", 1, 1, None, None, None, 101, 101),
        (2, 1, "allocated", 6, 6, "hamburg", None, None, 102, 102),
        (3, 1, "shipped", 6, 6, None, "ups", "s1", 103, 103),
        (4, 1, "delivered", 6, 6, None, None, "s1", 104, 104),
    ]
    assert [row.occurred_at for row in rows] == [DAY[1], DAY[1], DAY[2], DAY[3], DAY[4]]


def added(day: int, *lines: OrderedLine) -> events.OrderLinesAdded:
    return events.OrderLinesAdded(occurred_at=DAY[day], lines=lines)


def increased(day: int, no: int, quantity: int, ordered: int, open: int) -> events.OrderLinesIncreased:  # noqa: A002
    more = events.IncreasedLine(line_no=no, quantity=quantity, ordered=ordered, open=open)
    return events.OrderLinesIncreased(occurred_at=DAY[day], lines=(more,))


def test_a_line_that_was_added_has_its_orders_facts_and_its_own_time() -> None:
    confirmed = events.OrderConfirmed(occurred_at=DAY[2], promised_date=date(2024, 3, 8))
    revised = events.RequestedDateRevised(occurred_at=DAY[5], requested_date=date(2024, 3, 18), reason="closed")
    rows = rows_of(SUBJECT, "order-o1", placed(), confirmed, added(4, line(3, 2, "7.00", "0.5")), revised)
    first, later = rows["order_lines"]
    assert (later.product_id, later.ordered, later.open, later.gross, later.net) == (
        "p3",
        2,
        2,
        Decimal("14.00"),
        Decimal("7.000"),
    )
    assert (later.customer_id, later.carrier_id, later.promised_date) == ("c1", "dhl", date(2024, 3, 8))
    assert (first.placed_at, first.confirmed_at) == (DAY[1], DAY[2])
    assert (later.placed_at, later.confirmed_at) == (DAY[4], DAY[4])
    assert (later.requested_date, later.first_position, later.last_position) == (date(2024, 3, 18), 101, 104)
    (order,) = rows["orders"]
    assert (order.placed_at, order.line_count, order.last_position) == (DAY[1], 2, 104)


def test_a_line_that_is_added_to_a_confirmed_order_is_confirmed_as_soon_as_it_is_there() -> None:
    confirmed = events.OrderConfirmed(occurred_at=DAY[2], promised_date=date(2024, 3, 8))
    rows = rows_of(SUBJECT, "order-o1", placed(), confirmed, added(4, line(3, 2, "7.00")))["order_lines"]
    assert [row.confirmed_at for row in rows] == [DAY[2], DAY[4]]


def test_what_is_ordered_later_takes_its_part_of_the_freight() -> None:
    small, large = line(1, 1, "10"), line(2, 3, "10")
    start = rows_of(SUBJECT, "order-o1", placed(small, large, freight=Decimal(8)))["order_lines"]
    later = rows_of(SUBJECT, "order-o1", placed(small, freight=Decimal(8)), added(2, large))["order_lines"]
    more = rows_of(
        SUBJECT, "order-o1", placed(small, line(2, 1, "10"), freight=Decimal(8)), increased(2, 2, 2, ordered=3, open=3)
    )["order_lines"]
    expected = [(1, Decimal("10"), Decimal("2.00")), (2, Decimal("30"), Decimal("6.00"))]
    for rows in (start, later, more):
        assert [(row.line_no, row.net, row.freight) for row in rows] == expected
    assert [row.last_position for row in later] == [102, 102], "the freight of the first line changed as well"
    free = rows_of(SUBJECT, "order-o1", placed(small), added(2, large))["order_lines"]
    assert [row.last_position for row in free] == [101, 102], "without freight it did not"


@pytest.mark.parametrize("listed", list(permutations((1, 2, 3))))
@pytest.mark.parametrize("later", [0, 1, 2], ids=["all placed", "one line later", "two lines later"])
def test_a_cent_of_freight_falls_on_the_same_line_however_lines_were_listed_and_whenever_ordered(
    listed: tuple[int, ...], later: int
) -> None:
    lines = tuple(line(no, 1, "1") for no in listed)
    first, rest = lines[: 3 - later], lines[3 - later :]
    (start,) = decide(
        None,
        PlaceOrder(
            order_id="o1",
            occurred_at=DAY[1],
            customer_id="c1",
            currency="EUR",
            lines=first,
            freight=Decimal("10.00"),
        ),
    )
    grown = decide(evolve(None, start), AddOrderLines(order_id="o1", occurred_at=DAY[2], lines=rest)) if rest else ()
    rows = rows_of(SUBJECT, "order-o1", start, *grown)["order_lines"]
    assert {row.line_no: row.freight for row in rows} == {1: Decimal("3.33"), 2: Decimal("3.34"), 3: Decimal("3.33")}


def test_lines_that_an_event_lists_in_another_order_keep_the_freight_they_had_from_it() -> None:
    # Orders were recorded so once; the line that was listed first has the cent that can't be halved.
    rows = rows_of(SUBJECT, "order-o1", placed(line(2, 1, "1"), line(1, 1, "1"), freight=Decimal("1.01")))
    assert {row.line_no: row.freight for row in rows["order_lines"]} == {2: Decimal("0.51"), 1: Decimal("0.50")}


def test_more_units_of_a_line_change_its_money_and_status_and_no_time() -> None:
    stream = placed(line(1, 10, "2.50", "0.2")), shipped(3, 10, "s1", "ups", shipped=10), delivered(4, 10, 10)
    row = one_line(*stream, increased(5, 1, 6, ordered=16, open=6))
    assert (row.ordered, row.open, row.shipped, row.gross, row.net) == (16, 6, 10, Decimal("40.00"), Decimal("32.000"))
    assert (one_line(*stream).status, row.status) == ("delivered", "partly_shipped")
    assert (row.placed_at, row.delivered_at, row.last_position) == (DAY[1], DAY[4], 104)


def test_lines_and_units_that_were_ordered_later_are_events_of_their_lines() -> None:
    stream = placed(), added(2, line(2, 4, "1"), line(3, 5, "1")), increased(3, 2, 6, ordered=10, open=10)
    rows = rows_of(SUBJECT, "order-o1", *stream)["order_line_events"]
    assert [tuple(row)[1:6] for row in rows] == [
        (1, 1, "placed", 10, 10),
        (2, 2, "added", 4, 4),
        (2, 3, "added", 5, 5),
        (3, 2, "increased", 6, 10),
    ]
