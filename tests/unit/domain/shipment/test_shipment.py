"""A shipment: every event, every refusal."""

from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest

from domain.shared.refusal import InvalidCoordinates, InvalidQuantity
from domain.shipment import commands, errors, events
from domain.shipment.commands import ShipmentLine, ShippedQuantity
from domain.shipment.shipment import Shipment, ShipmentStatus, decide, evolve
from tests.unit.domain.scenario import Scenario

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINES = (
    ShipmentLine(line_no=1, product_id="P-1", quantity=5),
    ShipmentLine(line_no=2, product_id="P-2", quantity=3),
)
ALL = (ShippedQuantity(line_no=1, quantity=5), ShippedQuantity(line_no=2, quantity=3))

UNKNOWN = Scenario(decide, evolve)
PLANNED_EVENT = events.ShipmentPlanned(
    occurred_at=NOON,
    shipment_id="S-1",
    order_id="O-1",
    lines=LINES,
    carrier_id="C-1",
    origin_location_id="L-1",
    destination_city="Lyon",
    destination_country="FR",
    destination_latitude=45.76,
    destination_longitude=4.84,
    planned_dispatch_at=NOON + HOUR,
    planned_delivery_at=NOON + 9 * HOUR,
)
DISPATCHED_EVENT = events.ShipmentDispatched(occurred_at=NOON, eta=NOON + 8 * HOUR)
SEEN_EVENT = events.ShipmentLocationReported(occurred_at=NOON + HOUR, latitude=46.0, longitude=5.0, place="A6")
RAISED_EVENT = events.ShipmentExceptionRaised(
    occurred_at=NOON, exception_id="X-1", kind="damage", description=None, open_exceptions=1
)
RESOLVED_EVENT = events.ShipmentExceptionResolved(
    occurred_at=NOON, exception_id="X-1", resolution=None, open_exceptions=0
)

PLANNED = UNKNOWN.given(PLANNED_EVENT)
DISPATCHED = PLANNED.given(DISPATCHED_EVENT)
IN_TRANSIT = DISPATCHED.given(SEEN_EVENT)
DELIVERED = IN_TRANSIT.given(events.ShipmentDelivered(occurred_at=NOON + 7 * HOUR, lines=ALL))
RETURNED = IN_TRANSIT.given(events.ShipmentReturned(occurred_at=NOON + 7 * HOUR, reason="refused"))
VOIDED = PLANNED.given(events.ShipmentVoided(occurred_at=NOON, reason="no truck"))
UNDER_WAY = (DISPATCHED, IN_TRANSIT)
ENDED = (
    (DELIVERED, errors.ShipmentAlreadyDelivered),
    (RETURNED, errors.ShipmentAlreadyReturned),
    (VOIDED, errors.ShipmentAlreadyVoided),
)


def plan(**changes):
    values = {
        "order_id": "O-1",
        "lines": LINES,
        "carrier_id": "C-1",
        "origin_location_id": "L-1",
        "destination_city": "Lyon",
        "destination_country": "FR",
        "destination_latitude": 45.76,
        "destination_longitude": 4.84,
        "planned_dispatch_at": NOON + HOUR,
        "planned_delivery_at": NOON + 9 * HOUR,
    }
    return commands.PlanShipment(shipment_id="S-1", occurred_at=NOON, **values | changes)


def dispatch(eta=NOON + 8 * HOUR, at=NOON):
    return commands.DispatchShipment(shipment_id="S-1", occurred_at=at, eta=eta)


def locate(latitude=46.0, longitude=5.0, place="A6", at=NOON + HOUR):
    return commands.ReportShipmentLocation(
        shipment_id="S-1", occurred_at=at, latitude=latitude, longitude=longitude, place=place
    )


def revise_eta(eta, at=NOON + HOUR):
    return commands.ReviseEta(shipment_id="S-1", occurred_at=at, eta=eta, reason="traffic")


def delay(minutes=45):
    return commands.ReportShipmentDelay(shipment_id="S-1", occurred_at=NOON, delay_minutes=minutes, reason="fog")


def raise_exception(exception_id="X-1"):
    return commands.RaiseShipmentException(
        shipment_id="S-1", occurred_at=NOON, exception_id=exception_id, kind="damage", description="wet"
    )


def resolve_exception(exception_id="X-1"):
    return commands.ResolveShipmentException(
        shipment_id="S-1", occurred_at=NOON, exception_id=exception_id, resolution="repacked"
    )


def attempt():
    return commands.AttemptDelivery(shipment_id="S-1", occurred_at=NOON, reason="nobody there")


def deliver(*lines):
    return commands.DeliverShipment(shipment_id="S-1", occurred_at=NOON + 7 * HOUR, lines=lines)


def send_back():
    return commands.ReturnShipment(shipment_id="S-1", occurred_at=NOON, reason="refused")


def void():
    return commands.VoidShipment(shipment_id="S-1", occurred_at=NOON, reason="no truck")


def route(distance=463.2, duration=275.0):
    return commands.RecordRoute(
        shipment_id="S-1",
        occurred_at=NOON,
        distance_km=distance,
        duration_minutes=duration,
        provider="great-circle",
    )


def weather(**changes):
    values = {
        "temperature_c": -3.5,
        "precipitation_mm": 1.2,
        "wind_speed_kmh": 31.0,
        "weather_code": 61,
    }
    return commands.RecordWeather(
        shipment_id="S-1", occurred_at=NOON, observed_at=NOON - HOUR, provider="recorded", **values | changes
    )


NOT_PLANNING = (
    dispatch(),
    locate(),
    revise_eta(NOON),
    delay(),
    raise_exception(),
    resolve_exception(),
    attempt(),
    deliver(),
    send_back(),
    void(),
    route(),
    weather(),
)


def named(value):
    return type(value).__name__


def test_plan_carries_everything_that_was_asked():
    UNKNOWN.when(plan()).then(PLANNED_EVENT)


def test_plan_needs_only_an_order_and_lines():
    (event,) = UNKNOWN.when(
        commands.PlanShipment(shipment_id="S-1", occurred_at=NOON, order_id="O-1", lines=LINES)
    ).events()
    assert (event.carrier_id, event.destination_latitude, event.planned_delivery_at) == (None, None, None)


@pytest.mark.parametrize("scenario", [PLANNED, IN_TRANSIT, DELIVERED, RETURNED, VOIDED])
def test_shipment_is_planned_once(scenario):
    scenario.when(plan()).refused(errors.ShipmentAlreadyPlanned)


def test_plan_without_lines_is_refused():
    UNKNOWN.when(plan(lines=())).refused(errors.ShipmentWithoutLines)


def test_plan_that_repeats_a_line_is_refused():
    UNKNOWN.when(plan(lines=(LINES[0], LINES[0]))).refused(errors.DuplicateShipmentLine, match="line 1")


@pytest.mark.parametrize("quantity", [0, -1, 1_000_000_001])
def test_plan_with_an_impossible_quantity_is_refused(quantity):
    line = ShipmentLine(line_no=1, product_id="P-1", quantity=quantity)
    UNKNOWN.when(plan(lines=(line,))).refused(InvalidQuantity)


@pytest.mark.parametrize("line_no", [0, -1, 1_000_001])
def test_plan_with_an_impossible_line_number_is_refused(line_no):
    line = ShipmentLine(line_no=line_no, product_id="P-1", quantity=1)
    UNKNOWN.when(plan(lines=(line,))).refused(errors.InvalidShipmentLine)


@pytest.mark.parametrize("latitude", [None, 90.1])
def test_plan_with_an_impossible_destination_is_refused(latitude):
    UNKNOWN.when(plan(destination_latitude=latitude)).refused(InvalidCoordinates)


@pytest.mark.parametrize("command", NOT_PLANNING, ids=named)
def test_everything_but_planning_needs_a_plan(command):
    UNKNOWN.when(command).refused(errors.ShipmentNotPlanned)


def test_dispatch_after_plan():
    PLANNED.when(dispatch()).then(DISPATCHED_EVENT)
    assert DISPATCHED.state.status is ShipmentStatus.DISPATCHED


@pytest.mark.parametrize("scenario", UNDER_WAY)
@pytest.mark.parametrize("command", [dispatch(), void()], ids=named)
def test_what_has_left_is_neither_dispatched_nor_voided(scenario, command):
    scenario.when(command).refused(errors.ShipmentAlreadyDispatched)


@pytest.mark.parametrize("command", [locate(), attempt(), deliver(), send_back()], ids=named)
def test_what_has_not_left_is_nowhere_and_neither_delivered_nor_returned(command):
    PLANNED.when(command).refused(errors.ShipmentNotDispatched)


@pytest.mark.parametrize(
    "command", [dispatch(), raise_exception(), attempt(), deliver(), send_back(), void()], ids=named
)
@pytest.mark.parametrize(("scenario", "refusal"), ENDED)
def test_ended_shipment_changes_no_more(scenario, refusal, command):
    scenario.when(command).refused(refusal)


@pytest.mark.parametrize("command", [locate(), revise_eta(NOON), delay()], ids=named)
def test_voided_shipment_is_neither_seen_nor_expected_nor_late(command):
    VOIDED.when(command).refused(errors.ShipmentAlreadyVoided)


@pytest.mark.parametrize("scenario", [*UNDER_WAY, DELIVERED, RETURNED])
def test_location_is_recorded_from_dispatch_on(scenario):
    scenario.when(locate()).then(SEEN_EVENT)


def test_first_location_puts_a_dispatched_shipment_in_transit():
    assert DISPATCHED.after(locate()).state.status is ShipmentStatus.IN_TRANSIT


@pytest.mark.parametrize("scenario", [IN_TRANSIT, DELIVERED, RETURNED])
def test_late_reports_move_no_status(scenario):
    before = scenario.state.status
    late = scenario.after(locate(), revise_eta(NOON), delay(), route(), weather())
    assert late.state.status is before


@pytest.mark.parametrize(("latitude", "longitude"), [(90.1, 0.0), (0.0, -180.1)])
def test_location_off_the_globe_is_refused(latitude, longitude):
    DISPATCHED.when(locate(latitude, longitude)).refused(InvalidCoordinates)


def test_last_known_place_is_that_of_the_latest_business_time():
    first, second = locate(45.0, 4.0, "Lyon", NOON + 2 * HOUR), locate(48.9, 2.4, "Paris", NOON + HOUR)
    for order in ((first, second), (second, first)):
        sighting = DISPATCHED.after(*order).state.sighting
        assert sighting == (NOON + 2 * HOUR, 45.0, 4.0, "Lyon")


def test_of_two_places_at_the_same_time_the_one_recorded_last_counts():
    moved = DISPATCHED.after(locate(place="Lyon"), locate(place="Paris"))
    assert moved.state.sighting.place == "Paris"


def test_eta_revision_names_the_eta_before_it():
    IN_TRANSIT.when(revise_eta(NOON + 10 * HOUR)).then(
        events.EtaRevised(occurred_at=NOON + HOUR, eta=NOON + 10 * HOUR, previous_eta=NOON + 8 * HOUR, reason="traffic")
    )


def test_first_eta_has_none_before_it():
    (event,) = PLANNED.when(revise_eta(NOON + 10 * HOUR)).events()
    assert event.previous_eta is None


@pytest.mark.parametrize("scenario", [DELIVERED, RETURNED])
def test_late_eta_revision_is_recorded(scenario):
    (event,) = scenario.when(revise_eta(NOON + 10 * HOUR)).events()
    assert event.eta == NOON + 10 * HOUR


def test_eta_is_that_of_the_latest_business_time():
    first, second = revise_eta(NOON + 9 * HOUR, NOON + 2 * HOUR), revise_eta(NOON + 5 * HOUR, NOON + HOUR)
    for order in ((first, second), (second, first)):
        assert DISPATCHED.after(*order).state.eta == NOON + 9 * HOUR


def test_eta_given_at_dispatch_yields_to_a_later_revision():
    revised = PLANNED.after(revise_eta(NOON + 9 * HOUR, NOON + 2 * HOUR))
    assert revised.after(dispatch(NOON + 5 * HOUR, at=NOON + HOUR)).state.eta == NOON + 9 * HOUR
    assert revised.after(dispatch(NOON + 5 * HOUR, at=NOON + 3 * HOUR)).state.eta == NOON + 5 * HOUR


def test_dispatch_without_eta_keeps_the_one_known():
    assert PLANNED.after(revise_eta(NOON + 9 * HOUR), dispatch(eta=None)).state.eta == NOON + 9 * HOUR


@pytest.mark.parametrize("scenario", [PLANNED, *UNDER_WAY, DELIVERED, RETURNED])
def test_delay_is_recorded(scenario):
    scenario.when(delay()).then(
        events.ShipmentDelayed(occurred_at=NOON, delay_minutes=45, reason="fog"),
    )


@pytest.mark.parametrize("minutes", [0, -5, 5_256_001])
def test_impossible_delay_is_refused(minutes):
    DISPATCHED.when(delay(minutes)).refused(errors.InvalidDelay)


@pytest.mark.parametrize("scenario", [PLANNED, *UNDER_WAY])
def test_exception_is_raised(scenario):
    scenario.when(raise_exception()).then(
        events.ShipmentExceptionRaised(
            occurred_at=NOON, exception_id="X-1", kind="damage", description="wet", open_exceptions=1
        )
    )


def test_exceptions_count_those_that_are_open():
    two = IN_TRANSIT.given(RAISED_EVENT).after(raise_exception("X-2"))
    assert two.history[-1].open_exceptions == 2
    assert two.after(resolve_exception("X-1")).history[-1].open_exceptions == 1


@pytest.mark.parametrize("history", [[RAISED_EVENT], [RAISED_EVENT, RESOLVED_EVENT]])
def test_exception_is_raised_once(history):
    IN_TRANSIT.given(*history).when(raise_exception()).refused(errors.ShipmentExceptionAlreadyRaised)


def test_open_exception_is_resolved():
    IN_TRANSIT.given(RAISED_EVENT).when(resolve_exception()).then(
        events.ShipmentExceptionResolved(occurred_at=NOON, exception_id="X-1", resolution="repacked", open_exceptions=0)
    )


def test_open_exception_is_resolved_also_after_delivery():
    late = IN_TRANSIT.given(RAISED_EVENT).after(deliver(), resolve_exception())
    assert late.state.status is ShipmentStatus.DELIVERED
    assert late.state.open_exceptions == frozenset()


def test_exception_never_raised_is_not_resolved():
    IN_TRANSIT.given(RAISED_EVENT).when(resolve_exception("X-2")).refused(errors.UnknownShipmentException)


def test_exception_is_resolved_once():
    IN_TRANSIT.given(RAISED_EVENT, RESOLVED_EVENT).when(resolve_exception()).refused(
        errors.ShipmentExceptionAlreadyResolved
    )


@pytest.mark.parametrize("scenario", UNDER_WAY)
def test_delivery_attempts_are_counted(scenario):
    first = events.DeliveryAttempted(occurred_at=NOON, reason="nobody there", attempts=1)
    second = events.DeliveryAttempted(occurred_at=NOON, reason="nobody there", attempts=2)
    scenario.when(attempt()).then(first)
    scenario.given(first).when(attempt()).then(second)


@pytest.mark.parametrize("scenario", UNDER_WAY)
def test_delivery_without_lines_is_of_all_that_was_dispatched(scenario):
    scenario.when(deliver()).then(events.ShipmentDelivered(occurred_at=NOON + 7 * HOUR, lines=ALL))
    assert scenario.after(deliver()).state.status is ShipmentStatus.DELIVERED


def test_delivery_of_some_lines_is_of_those_alone():
    some = ShippedQuantity(line_no=2, quantity=1)
    IN_TRANSIT.when(deliver(some)).then(events.ShipmentDelivered(occurred_at=NOON + 7 * HOUR, lines=(some,)))
    assert IN_TRANSIT.after(deliver(some)).state.delivered == (some,)


def test_delivery_of_more_than_was_dispatched_is_refused():
    IN_TRANSIT.when(deliver(ALL[0], ShippedQuantity(line_no=2, quantity=4))).refused(
        errors.DeliveredMoreThanDispatched, match="line 2: 4 of 3"
    )


def test_delivery_of_an_unknown_line_is_refused():
    IN_TRANSIT.when(deliver(ShippedQuantity(line_no=3, quantity=1))).refused(errors.UnknownShipmentLine)


def test_delivery_that_repeats_a_line_is_refused():
    half = ShippedQuantity(line_no=1, quantity=2)
    IN_TRANSIT.when(deliver(half, half)).refused(errors.DuplicateShipmentLine)


def test_delivery_of_no_units_is_refused():
    IN_TRANSIT.when(deliver(ShippedQuantity(line_no=1, quantity=0))).refused(InvalidQuantity)


@pytest.mark.parametrize("scenario", UNDER_WAY)
def test_shipment_is_returned_after_dispatch(scenario):
    scenario.when(send_back()).then(events.ShipmentReturned(occurred_at=NOON, reason="refused"))
    assert scenario.after(send_back()).state.status is ShipmentStatus.RETURNED


def test_shipment_is_voided_before_dispatch():
    PLANNED.when(void()).then(events.ShipmentVoided(occurred_at=NOON, reason="no truck"))
    assert PLANNED.after(void()).state.status is ShipmentStatus.VOIDED


@pytest.mark.parametrize("scenario", [PLANNED, *UNDER_WAY, DELIVERED, RETURNED, VOIDED])
def test_route_is_recorded_any_number_of_times_once_planned(scenario):
    event = events.RouteMeasured(occurred_at=NOON, distance_km=463.2, duration_minutes=275.0, provider="great-circle")
    scenario.when(route()).then(event)
    scenario.given(event).when(route()).then(event)


def test_route_may_have_no_length_and_no_duration():
    (event,) = PLANNED.when(route(0.0, None)).events()
    assert (event.distance_km, event.duration_minutes) == (0.0, None)


@pytest.mark.parametrize("figure", [-0.1, nan, inf, 1e305])
def test_route_of_impossible_figures_is_refused(figure):
    PLANNED.when(route(distance=figure)).refused(errors.InvalidRoute)
    PLANNED.when(route(duration=figure)).refused(errors.InvalidRoute)


@pytest.mark.parametrize("scenario", [PLANNED, *UNDER_WAY, DELIVERED, RETURNED, VOIDED])
def test_weather_is_recorded_any_number_of_times_once_planned(scenario):
    event = events.WeatherObserved(
        occurred_at=NOON,
        observed_at=NOON - HOUR,
        provider="recorded",
        temperature_c=-3.5,
        precipitation_mm=1.2,
        wind_speed_kmh=31.0,
        weather_code=61,
    )
    scenario.when(weather()).then(event)
    scenario.given(event).when(weather()).then(event)


def test_weather_may_be_unknown_in_part():
    (event,) = PLANNED.when(weather(temperature_c=None, weather_code=None)).events()
    assert (event.temperature_c, event.weather_code, event.wind_speed_kmh) == (None, None, 31.0)


@pytest.mark.parametrize(
    "figures", [{"temperature_c": nan}, {"wind_speed_kmh": inf}, {"weather_code": -1}, {"weather_code": 100}]
)
def test_weather_of_impossible_figures_is_refused(figures):
    PLANNED.when(weather(**figures)).refused(errors.InvalidWeather)


def test_new_shipment_is_planned_and_nothing_more():
    assert PLANNED.state == Shipment("S-1", LINES)
