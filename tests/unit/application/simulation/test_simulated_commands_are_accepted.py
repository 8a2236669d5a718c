"""Every simulated command is run through the domain; the outcome looks like a supply chain."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from application.aggregates import AGGREGATE_OF_COMMAND
from application.simulation.settings import SimulationSettings, Timed
from application.simulation.simulation import simulate, simulate_live
from application.simulation.world import world_of
from domain.order.commands import DeliverOrderLines, PlaceOrder, ShipOrderLines
from domain.order.order import Order

START = datetime(2025, 1, 6, tzinfo=UTC)
SETTINGS = SimulationSettings(start=START, seed=3, orders=2000)


class House:
    """The domain, applied to commands stream by stream; a refusal is an error."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.events: Counter[str] = Counter()

    def apply(self, command: Any) -> None:
        aggregate = AGGREGATE_OF_COMMAND[type(command)]
        stream_id = aggregate.stream_of(command)
        state = self.states.get(stream_id)
        for event in aggregate.decide(state, command):
            self.events[type(event).__name__] += 1
            state = aggregate.evolve(state, event)
        self.states[stream_id] = state

    def of(self, kind: str) -> list[Any]:
        return [state for stream_id, state in self.states.items() if stream_id.startswith(f"{kind}-")]


@pytest.fixture(scope="module")
def timed() -> list[Timed]:
    return list(simulate(SETTINGS))


@pytest.fixture(scope="module")
def house(timed: list[Timed]) -> House:
    house = House()
    for each in timed:
        house.apply(each.command)
    return house


def test_the_domain_accepts_every_command_and_every_reservation(house: House) -> None:
    assert house.events["OrderPlaced"] == 2000
    assert house.events["ReservationRejected"] == 0


def test_other_seeds_are_accepted_too() -> None:
    for seed, orders in ((11, 400), (12, 0), (13, 1)):
        house = House()
        for each in simulate(replace(SETTINGS, seed=seed, orders=orders, days=40)):
            house.apply(each.command)
        assert (house.events["OrderPlaced"], house.events["ReservationRejected"]) == (orders, 0)


def test_commands_come_in_order_of_business_time_within_the_period(timed: list[Timed]) -> None:
    moments = [each.at for each in timed]
    assert moments == sorted(moments)
    assert moments == [each.command.occurred_at for each in timed]
    assert moments[0] == START
    assert moments[-1] < START + timedelta(days=90)
    assert {moment.tzinfo for moment in moments} == {UTC}


def test_an_order_gives_20_to_30_commands(timed: list[Timed]) -> None:
    assert 20 <= len(timed) / 2000 <= 30


def test_about_15_percent_of_shipments_and_orders_are_late(timed: list[Timed], house: House) -> None:
    assert 0.12 <= house.events["ShipmentDelayed"] / house.events["ShipmentDelivered"] <= 0.18
    promised: dict[str, date | None] = {}
    late: dict[str, bool] = {}
    for command in (each.command for each in timed):
        if isinstance(command, PlaceOrder):
            promised[command.order_id] = command.promised_date
        elif isinstance(command, DeliverOrderLines):
            order_id = command.order_id
            late[order_id] = command.occurred_at.date() > promised[order_id] or late.get(order_id, False)
    assert 0.10 <= sum(late.values()) / len(late) <= 0.20


def test_no_delay_is_reported_where_nothing_is_late() -> None:
    house = House()
    for each in simulate(replace(SETTINGS, orders=300, delay_share=0.0)):
        house.apply(each.command)
    assert house.events["ShipmentDelivered"] > 200
    assert house.events["ShipmentDelayed"] == 0


def test_everything_that_can_happen_to_an_order_happens(timed: list[Timed], house: House) -> None:
    shipments = Counter(each.command.order_id for each in timed if isinstance(each.command, ShipOrderLines))
    assert sum(1 for count in shipments.values() if count > 1) >= 20
    for event, least in {
        "OrderCancelled": 60,
        "AllocationReleased": 5,
        "OrderLineBackordered": 60,
        "PromiseRevised": 60,
        "OrderLineReturned": 40,
        "OrderHeld": 60,
        "ShipmentVoided": 10,
        "ShipmentExceptionResolved": 40,
        "DeliveryAttempted": 30,
        "StockTransferredIn": 30,
        "StockCounted": 40,
        "StockReleasedFromQuarantine": 20,
        "StockScrapped": 10,
        "ReorderPointReached": 100,
        "ProductRevised": 10,
    }.items():
        assert house.events[event] >= least, event


def test_back_ordered_units_are_mostly_served_and_few_orders_stay_open(house: House) -> None:
    orders: list[Order] = house.of("order")
    backordered = sum(line.backordered for order in orders for line in order.lines.values())
    assert backordered < house.events["OrderLineBackordered"]
    closed = house.events["OrderClosed"] + house.events["OrderCancelled"]
    assert 0.02 < (len(orders) - closed) / len(orders) < 0.2


def test_the_catalog_is_registered_whole_with_prices_in_cents(house: House) -> None:
    registered = {kind: house.events[f"{kind}Registered"] for kind in ("Supplier", "Product", "Carrier")}
    assert registered == {"Supplier": 50, "Product": 200, "Carrier": 5}
    world = world_of(SETTINGS.seed)
    assert len({each.category for each in world.products}) == 10
    for product in world.products:
        assert product.unit_cost < product.unit_price
        assert product.unit_price.as_tuple().exponent == product.unit_cost.as_tuple().exponent == -2


def test_a_run_on_an_existing_world_leaves_the_catalog_alone_and_uses_the_stock_it_is_given(
    timed: list[Timed], house: House
) -> None:
    available = {}
    for stream_id, stock in house.states.items():
        kind, _, key = stream_id.partition("-")
        if kind == "inventory":
            product_id, _, location_id = key.partition("@")
            available[product_id, location_id] = stock.available
    settings = replace(
        SETTINGS,
        start=START + timedelta(days=90),
        run="R2",
        register_catalog=False,
        stock_at_start=available,
        orders_per_second=0.01,
    )
    live = House()
    live.states = dict(house.states)
    for each in islice(simulate_live(settings), 5000):
        live.apply(each.command)
        assert each.at == each.command.occurred_at
    assert live.events["OrderPlaced"] > 100
    assert live.events["ReservationRejected"] == live.events["ProductRegistered"] == 0
    assert live.events["ReorderPointSet"] == 0


def test_live_commands_are_due_as_many_times_faster_as_business_time_passes() -> None:
    settings = replace(SETTINGS, orders_per_second=2.0, speed=600.0, run="live")
    commands = list(islice(simulate_live(settings), 20_000))
    placed = [each for each in commands if isinstance(each.command, PlaceOrder)]
    assert placed[0].command.order_id == "SO-live-000001"
    for each in commands[::1000]:
        business = each.command.occurred_at - START
        assert abs((each.at - START) * 600 - business) < timedelta(seconds=1)
    seconds = (placed[-1].at - placed[0].at).total_seconds()
    assert (len(placed) - 1) / seconds == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": datetime(2025, 1, 6)},  # noqa: DTZ001
        {"orders": -1},
        {"days": 0},
        {"delay_share": 1.5},
        {"speed": 0.0},
    ],
)
def test_settings_without_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"start|orders|days|share|speed"):
        replace(SETTINGS, **wrong)
