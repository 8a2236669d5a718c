"""The rules of an order hold at every version, whatever is asked of it."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.order.commands import PlaceOrder
from domain.order.errors import OrderNotPlaced
from domain.order.events import OrderEvent, OrderPlaced, PromiseRevised
from domain.order.order import Order, OrderStatus, decide, evolve
from domain.shared.refusal import Refusal
from tests.soak import examples
from tests.unit.domain.order.samples import (
    CANCEL,
    CLOSE,
    HOLD,
    LATER,
    LINES,
    PLACE,
    PROMISE,
    RELEASE,
    add,
    allocate,
    backorder,
    cancel_lines,
    confirm,
    deliver,
    increase,
    release_allocation,
    request,
    return_lines,
    revise,
    ship,
)

LINE_QUANTITIES = st.lists(st.tuples(st.sampled_from([1, 2, 2, 1, 3]), st.integers(0, 7)), max_size=3)
LINE_COMMANDS = st.builds(
    lambda command, lines: command(*lines),
    st.sampled_from(
        [add, increase, allocate, release_allocation, backorder, ship, ship, deliver, cancel_lines, return_lines]
    ),
    LINE_QUANTITIES,
)
PLACINGS = st.sampled_from([PLACE, replace(PLACE, promised_date=None), replace(PLACE, lines=LINES[:1])])
ORDER_COMMANDS = st.sampled_from(
    [
        confirm(),
        confirm(LATER),
        revise(LATER),
        revise(PROMISE),
        request(LATER),
        HOLD,
        RELEASE,
        RELEASE,
        CANCEL,
        CLOSE,
        PLACE,
    ]
)
COMMANDS = st.one_of(LINE_COMMANDS, LINE_COMMANDS, LINE_COMMANDS, ORDER_COMMANDS)
SEQUENCES = st.builds(
    lambda placing, commands: [placing, *commands], PLACINGS, st.lists(COMMANDS, min_size=5, max_size=25)
)


def run(commands) -> tuple[Order | None, list[OrderEvent], list[type[Refusal] | None]]:
    """Put the commands to a new order; every version on the way is checked."""
    state, history, outcomes = None, [], []
    for command in commands:
        before = state
        try:
            events = decide(state, command)
            outcomes.append(None)
        except Refusal as refusal:
            events = ()
            outcomes.append(type(refusal))
        assert state == reduce(evolve, history, None)
        for event in events:
            state = evolve(state, event)
            history.append(event)
            check_lines(state)
        check_step(before, command, events)
    return state, history, outcomes


def check_lines(order: Order) -> None:
    for line_no, line in order.lines.items():
        assert line.line_no == line_no
        assert min(line.open, line.backordered, line.allocated, line.shipped, line.cancelled) >= 0
        assert line.ordered == line.open + line.backordered + line.allocated + line.shipped + line.cancelled
        assert 0 <= line.returned <= line.delivered <= line.shipped
    if order.status is OrderStatus.CANCELLED:
        assert all(line.cancelled == line.ordered for line in order.lines.values())
    if order.status is OrderStatus.CLOSED:
        assert all(line.remaining == line.under_way == 0 for line in order.lines.values())


def check_step(before: Order | None, command, events) -> None:
    """A command's events bear its time, and an order that is held or at its end accepts what it may."""
    kinds = {type(event).__name__ for event in events}
    assert all(event.occurred_at == command.occurred_at for event in events)
    if before is None or not events:
        return
    assert not isinstance(command, PlaceOrder)
    assert before.status is not OrderStatus.CANCELLED
    if before.status is OrderStatus.CLOSED:
        assert kinds == {"OrderLineReturned"}
    if before.held:
        assert not kinds & {"OrderLineAllocated", "OrderLineShipped"}


@given(SEQUENCES)
@settings(max_examples=examples(200))
def test_every_version_of_an_order_keeps_the_rules(commands):
    run(commands)


@given(SEQUENCES)
@settings(max_examples=examples(60))
def test_the_same_commands_give_the_same_order(commands):
    assert run(commands) == run(commands)


@given(SEQUENCES)
@settings(max_examples=examples(60))
def test_the_quantities_of_events_add_up_to_the_totals_of_the_order(commands):
    state, history, _ = run(commands)

    def total(kind: str, line_no: int) -> int:
        return sum(e.quantity for e in history if type(e).__name__ == kind and e.line_no == line_no)

    def ordered(line_no: int) -> list[int]:
        return [line.quantity for e in history for line in getattr(e, "lines", ()) if line.line_no == line_no]

    for line_no, line in state.lines.items():
        assert line.ordered == sum(ordered(line_no))
        assert line.shipped == total("OrderLineShipped", line_no)
        assert line.cancelled == total("OrderLineCancelled", line_no)
        assert line.delivered == total("OrderLineDelivered", line_no)
        assert line.returned == total("OrderLineReturned", line_no)


@given(SEQUENCES)
@settings(max_examples=examples(60))
def test_the_original_promise_is_the_first_one_given(commands):
    state, history, _ = run(commands)
    promises = [e.promised_date for e in history if hasattr(e, "promised_date") and e.promised_date]
    revisions = [e for e in history if isinstance(e, PromiseRevised)]

    assert state.original_promised_date == (promises[0] if promises else None)
    assert state.promised_date == (promises[-1] if promises else None)
    assert all(e.original_promised_date == promises[0] for e in revisions)


@given(st.lists(COMMANDS.filter(lambda command: command is not PLACE), min_size=1, max_size=5))
@settings(max_examples=examples(30))
def test_an_order_begins_with_its_placing(commands):
    assert run(commands) == (None, [], [OrderNotPlaced] * len(commands))
    assert isinstance(run([*commands, PLACE])[1][0], OrderPlaced)
