"""What holds for a shipment at every version, whatever commands come in whatever order."""

from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.shared.refusal import Refusal
from domain.shipment import commands, events
from domain.shipment.commands import ShipmentLine, ShippedQuantity
from domain.shipment.shipment import ShipmentStatus, decide, evolve
from tests.soak import examples

START = datetime(2024, 1, 1, tzinfo=UTC)
RANK = {
    None: 0,
    ShipmentStatus.PLANNED: 1,
    ShipmentStatus.DISPATCHED: 2,
    ShipmentStatus.IN_TRANSIT: 3,
    ShipmentStatus.DELIVERED: 4,
    ShipmentStatus.RETURNED: 4,
    ShipmentStatus.VOIDED: 4,
}
LEFT = {events.ShipmentDispatched, events.ShipmentDelivered, events.ShipmentReturned}

moments = st.integers(0, 48).map(lambda hours: START + timedelta(hours=hours))
line_nos = st.integers(1, 3)
quantities = st.integers(1, 4)
exception_ids = st.sampled_from(["X-1", "X-2"])
texts = st.just("reason")


def addressed(command, **arguments):
    return st.builds(command, shipment_id=st.just("S-1"), occurred_at=moments, **arguments)


lines = st.builds(ShipmentLine, line_no=line_nos, product_id=st.just("P-1"), quantity=quantities)
sound_lines = st.lists(lines, min_size=1, max_size=3, unique_by=lambda line: line.line_no).map(tuple)
any_lines = st.lists(lines, max_size=2).map(tuple)
shipped = st.lists(st.builds(ShippedQuantity, line_no=line_nos, quantity=quantities), max_size=2).map(tuple)
sound_plans = addressed(commands.PlanShipment, order_id=st.just("O-1"), lines=sound_lines)
any_plans = addressed(commands.PlanShipment, order_id=st.just("O-1"), lines=any_lines)
dispatches = addressed(commands.DispatchShipment, eta=st.none() | moments)
reports = st.one_of(
    addressed(commands.ReportShipmentLocation, latitude=st.floats(-91, 91), longitude=st.just(4.0)),
    addressed(commands.ReviseEta, eta=moments),
)
anything = st.one_of(
    any_plans,
    dispatches,
    reports,
    addressed(commands.ReportShipmentDelay, delay_minutes=st.integers(0, 90), reason=texts),
    addressed(commands.RaiseShipmentException, exception_id=exception_ids, kind=texts),
    addressed(commands.ResolveShipmentException, exception_id=exception_ids),
    addressed(commands.AttemptDelivery, reason=texts),
    addressed(commands.DeliverShipment, lines=st.just(()) | shipped),
    addressed(commands.ReturnShipment, reason=texts),
    addressed(commands.VoidShipment, reason=texts),
    addressed(
        commands.RecordRoute,
        distance_km=st.floats(-1, 500),
        duration_minutes=st.none(),
        provider=texts,
    ),
    addressed(commands.RecordWeather, observed_at=moments, provider=texts),
)
histories = st.builds(
    lambda *parts: [command for part in parts for command in part],
    st.lists(any_plans, max_size=1),
    sound_plans.map(lambda plan: [plan]),
    st.lists(anything, max_size=2),
    dispatches.map(lambda dispatch: [dispatch]),
    st.lists(anything, min_size=2, max_size=20),
)


def run(sequence):
    """Return the state and the events at every version; refused commands leave no trace."""
    state, log, versions = None, [], []
    for command in sequence:
        try:
            new = decide(state, command)
        except Refusal:
            continue
        for event in new:
            state = evolve(state, event)
            log.append(event)
            versions.append(state)
    return versions, log


@settings(max_examples=examples(80))
@given(histories)
def test_state_never_moves_back(sequence):
    versions, _ = run(sequence)
    ranks = [RANK[None], *(RANK[state.status] for state in versions)]
    assert ranks == sorted(ranks)
    ended = [state.status for state in versions if RANK[state.status] == 4]
    assert len(set(ended)) <= 1


@settings(max_examples=examples(80))
@given(histories)
def test_every_version_keeps_the_rules(sequence):
    versions, log = run(sequence)
    for state, event in zip(versions, log, strict=True):
        dispatched = {line.line_no: line.quantity for line in state.lines}
        assert len(dispatched) == len(state.lines) > 0
        assert all(0 < line.quantity <= dispatched[line.line_no] for line in state.delivered)
        assert bool(state.delivered) == (state.status is ShipmentStatus.DELIVERED)
        assert not state.open_exceptions & state.resolved_exceptions
        if isinstance(event, events.ShipmentExceptionRaised | events.ShipmentExceptionResolved):
            assert event.open_exceptions == len(state.open_exceptions)


@settings(max_examples=examples(80))
@given(histories)
def test_each_turn_of_a_shipment_happens_once_and_void_excludes_the_rest(sequence):
    _, log = run(sequence)
    turns = [type(event) for event in log if type(event) in LEFT | {events.ShipmentVoided}]
    assert len(turns) == len(set(turns))
    assert turns in (
        [],
        [events.ShipmentVoided],
        [events.ShipmentDispatched],
        [events.ShipmentDispatched, events.ShipmentDelivered],
        [events.ShipmentDispatched, events.ShipmentReturned],
    )


@settings(max_examples=examples(80))
@given(histories)
def test_last_place_eta_and_attempts_are_those_of_the_log(sequence):
    versions, log = run(sequence)
    seen = [event for event in log if isinstance(event, events.ShipmentLocationReported)]
    stated = [
        event
        for event in log
        if isinstance(event, events.ShipmentDispatched | events.EtaRevised) and event.eta is not None
    ]
    attempts = [event.attempts for event in log if isinstance(event, events.DeliveryAttempted)]
    if versions:
        state = versions[-1]
        assert (state.sighting and state.sighting.seen_at) == max((e.occurred_at for e in seen), default=None)
        assert state.eta == (sorted(stated, key=lambda e: e.occurred_at)[-1].eta if stated else None)
        assert state.attempts == len(attempts)
    assert attempts == list(range(1, len(attempts) + 1))


@settings(max_examples=examples(80))
@given(histories)
def test_same_commands_give_the_same_log_and_the_log_alone_gives_the_state(sequence):
    versions, log = run(sequence)
    assert run(sequence) == (versions, log)
    assert reduce(evolve, log, None) == (versions[-1] if versions else None)
