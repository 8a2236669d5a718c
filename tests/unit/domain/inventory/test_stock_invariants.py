from __future__ import annotations

from contextlib import suppress
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inventory.commands import (
    AdjustStock,
    CountStock,
    PickStock,
    QuarantineStock,
    ReceiveStock,
    ReleaseReservation,
    ReleaseStockFromQuarantine,
    ReserveStock,
    ReturnStock,
    ScrapStock,
    SetReorderPoint,
    ShipStock,
    TransferStockIn,
    TransferStockOut,
)
from domain.inventory.events import (
    ReorderPointReached,
    ReservationReleased,
    StockReserved,
    StockShipped,
    StockTransferredIn,
    StockTransferredOut,
)
from domain.inventory.stock import decide, evolve
from domain.shared.measures import MAX_QUANTITY
from domain.shared.refusal import Refusal
from tests.soak import examples
from tests.unit.domain.inventory.warehouse import ITEM

quantities = st.sampled_from([*range(-1, 13), MAX_QUANTITY - 3, MAX_QUANTITY + 1])
few = st.sampled_from([0, *range(1, 7), *range(1, 7)])
reasons = st.sampled_from([*["check"] * 9, " "])
reservation_ids = st.sampled_from(["R-1", "R-2", "R-3"])
transfer_ids = st.sampled_from(["T-1", "T-2"])


def command(kind, **details):
    return st.builds(kind, **{name: st.just(value) for name, value in ITEM.items()}, **details)


arrived = {"transfer_id": transfer_ids, "from_location_id": st.just("L-2")}
commands = st.one_of(
    command(TransferStockIn, sent=st.just(3), quantity=st.just(2), lost=st.just(1), **arrived),
    command(PickStock, reservation_id=reservation_ids, quantity=st.just(1)),
    command(ReceiveStock, quantity=quantities),
    command(ReserveStock, reservation_id=reservation_ids, quantity=few),
    command(ReleaseReservation, reservation_id=reservation_ids, reason=reasons, quantity=st.none() | few),
    command(PickStock, reservation_id=reservation_ids, quantity=few),
    command(ShipStock, quantity=few, reservation_id=st.none() | reservation_ids),
    command(TransferStockOut, transfer_id=transfer_ids, quantity=few, to_location_id=st.just("L-2")),
    command(TransferStockIn, sent=few, quantity=few, lost=few, **arrived),
    command(CountStock, counted=quantities),
    command(AdjustStock, delta=st.integers(-12, 12), reason=reasons),
    command(QuarantineStock, quantity=few, reason=reasons),
    command(ReleaseStockFromQuarantine, quantity=few),
    command(ScrapStock, quantity=few, reason=reasons),
    command(ReturnStock, quantity=few),
    command(SetReorderPoint, reorder_point=few, reorder_quantity=few),
)
fills = command(ReceiveStock, quantity=st.integers(10, 40))
holds = command(ReserveStock, reservation_id=reservation_ids, quantity=st.integers(1, 8))
opened = st.tuples(fills, holds, holds).map(list) | st.just([])
histories = st.builds(list.__add__, opened, st.lists(commands, min_size=15, max_size=40))
random_histories = settings(max_examples=examples(50))


def decided(history):
    """Yield for each command the state before, its events (none where refused), and the state after each."""
    state = None
    for each in history:
        try:
            events = decide(state, each)
        except Refusal:
            events = ()
        before, states = state, []
        for event in events:
            state = evolve(state, event)
            states.append(state)
        yield before, events, states


def log_of(history):
    return [event for _, events, _ in decided(history) for event in events]


@random_histories
@given(histories)
def test_levels_and_reservations_agree_at_every_version(history):
    for _, events, states in decided(history):
        for event, state in zip(events, states, strict=True):
            assert 0 <= state.reserved + state.quarantined <= state.on_hand <= MAX_QUANTITY
            assert min(state.reserved, state.quarantined, state.available) >= 0
            assert sum(each.remaining for each in state.reservations.values()) == state.reserved
            assert all(0 <= each.picked <= each.remaining > 0 for each in state.reservations.values())
            if hasattr(event, "on_hand"):
                assert (event.on_hand, event.reserved, event.quarantined) == (
                    state.on_hand,
                    state.reserved,
                    state.quarantined,
                )


@random_histories
@given(histories)
def test_a_reservation_gives_no_more_than_was_reserved_under_an_id_used_once(history):
    held: dict[str, int] = {}
    for event in log_of(history):
        if isinstance(event, StockReserved):
            assert event.reservation_id not in held
            held[event.reservation_id] = event.quantity
        elif isinstance(event, ReservationReleased | StockShipped) and event.reservation_id is not None:
            held[event.reservation_id] -= event.quantity
            assert held[event.reservation_id] == event.remaining >= 0


@random_histories
@given(histories)
def test_a_transfer_leaves_once_and_arrives_once(history):
    log = log_of(history)
    for kind in (StockTransferredOut, StockTransferredIn):
        recorded = [event.transfer_id for event in log if isinstance(event, kind)]
        assert len(recorded) == len(set(recorded))


@random_histories
@given(histories)
def test_the_reorder_point_is_reached_exactly_where_available_units_fall_to_it(history):
    for before, events, states in decided(history):
        said = [event for event in events if isinstance(event, ReorderPointReached)]
        point = before.reorder_point if before else None
        after = states[-1].available if states else None
        fell = point is not None and after is not None and after <= point < before.available
        assert len(said) == fell
        if fell:
            assert events[-1].available == after


@random_histories
@given(histories)
def test_the_events_alone_give_the_same_state_and_the_same_commands_the_same_events(history):
    *_, (before, _, states) = decided(history)
    log = log_of(history)
    assert log_of(history) == log
    assert reduce(evolve, log, None) == (states[-1] if states else before)


@random_histories
@given(histories, commands)
def test_deciding_leaves_the_state_as_it_was(history, another):
    log = log_of(history)
    state, as_it_was = reduce(evolve, log, None), reduce(evolve, log, None)
    with suppress(Refusal):
        reduce(evolve, decide(state, another), state)
    assert state == as_it_was
