"""Whatever an aggregate defines is known wherever it must be; a place that was forgotten is named here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import reduce
from inspect import isclass
from types import ModuleType
from typing import Any

import pytest

from application.aggregates import AGGREGATES, CATALOG, INVENTORY, ORDER, SHIPMENT, Aggregate
from application.codec import Recorded
from application.projections.registry import SUBJECTS
from application.projections.subject import Subject
from application.quality.reconciliation import ROWS_BY_EVENT
from domain.catalog import commands as catalog_commands
from domain.catalog import events as catalog_events
from domain.inventory import commands as inventory_commands
from domain.inventory import events as inventory_events
from domain.inventory.state import Reservation, Stock
from domain.inventory.used_ids import UsedIds
from domain.order import commands as order_commands
from domain.order import events as order_events
from domain.order.state import Order, OrderLine, OrderStatus
from domain.shared.refusal import Refusal
from domain.shipment import commands as shipment_commands
from domain.shipment import events as shipment_events
from domain.shipment.state import Estimate, Shipment, ShipmentStatus, Sighting
from tests.examples import VALUES, example

COMMANDS = {
    ORDER: order_commands,
    SHIPMENT: shipment_commands,
    INVENTORY: inventory_commands,
    CATALOG: catalog_commands,
}
EVENTS = {ORDER: order_events, SHIPMENT: shipment_events, INVENTORY: inventory_events, CATALOG: catalog_events}
ID, AT = VALUES[str], example(order_commands.CloseOrder).occurred_at
LINE = example(order_commands.OrderedLine, required_only=True)
USED = UsedIds((frozenset({"earlier"}),))
IN_THE_MIDDLE = {
    ORDER: Order(ID, OrderStatus.CLOSED, True, True, AT.date(), AT.date(), {3: OrderLine(3, 30, 5, 5, 5, 10, 5, 4, 3)}),
    SHIPMENT: Shipment(
        ID,
        (example(shipment_commands.ShipmentLine),),
        ShipmentStatus.DISPATCHED,
        Sighting(AT, 50.0, 10.0, "Fulda"),
        Estimate(AT, AT),
        frozenset({ID, "customs"}),
        frozenset({"fog"}),
        2,
        (example(shipment_commands.ShippedQuantity),),
    ),
    INVENTORY: Stock(9, 4, 1, {ID: Reservation(4, 4)}, USED, USED, USED, 7, 20),
}
"""Of each aggregate with more than one field to lose, a state in which no field has its default."""

every_command = pytest.mark.parametrize(
    ("aggregate", "command"), [(each, command) for each in AGGREGATES for command in each.commands]
)
every_event = pytest.mark.parametrize(
    ("aggregate", "event"), [(each, event) for each in AGGREGATES for event in each.events]
)


def openings(aggregate: Aggregate, of: type) -> tuple[Any, ...]:
    """Return the commands after which a command or an event of that class may follow."""
    if aggregate is CATALOG:
        kinds = {kind.capitalize(): command for command, kind in reversed(catalog_commands.KIND_OF.items())}
        return tuple(example(register) for kind, register in kinds.items() if kind in of.__name__)
    return {
        ORDER: (example(order_commands.PlaceOrder, currency="EUR", lines=(LINE,)),),
        SHIPMENT: (example(shipment_commands.PlanShipment), example(shipment_commands.DispatchShipment)),
        INVENTORY: (example(inventory_commands.ReceiveStock), example(inventory_commands.ReserveStock)),
    }[aggregate]


def history(aggregate: Aggregate, of: type) -> list[Any]:
    """Return the events that those commands give."""
    events: list[Any] = []
    for command in openings(aggregate, of):
        events += aggregate.decide(reduce(aggregate.evolve, events, None), command)
    return events


def names_of(record: Any) -> set[str]:
    return {each.name for each in fields(record)}


def stated_in(module: ModuleType, field: str) -> set[type]:
    """Return the records of a module that have a field, but those that others are made of."""
    own = [each for each in vars(module).values() if isclass(each) and each.__module__ == module.__name__]
    records = [each for each in own if is_dataclass(each) and not each.__subclasses__()]
    return {each for each in records if field in vars(each) or field in names_of(each)}


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_every_command_and_every_event_of_a_module_is_of_its_aggregate(aggregate: Aggregate) -> None:
    assert stated_in(COMMANDS[aggregate], "occurred_at") == set(aggregate.commands), "listed in COMMANDS?"
    assert stated_in(EVENTS[aggregate], "TOPIC") == set(aggregate.events), "in the union of the module's end?"


def test_a_topic_is_the_name_of_its_event_with_a_version() -> None:
    for aggregate in AGGREGATES:
        for event in aggregate.events:
            name, _, version = event.TOPIC.partition(".v")  # type: ignore[attr-defined]
            assert name == event.__name__
            assert version.isdecimal()


@every_command
def test_every_command_is_decided(aggregate: Aggregate, command: type) -> None:
    state = reduce(aggregate.evolve, history(aggregate, command), None)
    with suppress(Refusal):
        assert aggregate.decide(state, example(command))


@every_event
def test_every_event_makes_a_state(aggregate: Aggregate, event: type) -> None:
    state = reduce(aggregate.evolve, history(aggregate, event), None)
    assert type(aggregate.evolve(state, example(event))) is type(state)


@pytest.mark.parametrize("aggregate", IN_THE_MIDDLE)
def test_no_field_of_a_state_falls_back_to_its_default_when_something_else_happens(aggregate: Aggregate) -> None:
    before = IN_THE_MIDDLE[aggregate]
    defaults = {each.name: each.default for each in fields(before) if each.default is not MISSING}
    assert not fallen(before, defaults), "give it another value in IN_THE_MIDDLE"
    for event in aggregate.events:
        if event not in {order_events.OrderPlaced, shipment_events.ShipmentPlanned}:
            assert not fallen(aggregate.evolve(before, example(event)), defaults), event.__name__


def fallen(state: Any, defaults: dict[str, Any]) -> list[str]:
    return [name for name, default in defaults.items() if getattr(state, name) == default]


@every_event
def test_every_event_is_folded_into_silver(aggregate: Aggregate, event: type) -> None:
    subject, rows = folded(aggregate, event)
    assert rows.keys() == {table.name for table in subject.tables}


@pytest.mark.parametrize("event", [each for each in INVENTORY.events if "on_hand" in names_of(each)])
def test_every_event_that_states_the_levels_of_a_stock_is_a_movement(event: type) -> None:
    _, rows = folded(INVENTORY, event)
    assert rows["stock_movements"][-1].last_position == rows["stock"][0].last_position


def test_every_event_that_is_a_row_of_its_own_is_reconciled_with_it() -> None:
    named = {table: set(kinds) for table, kinds in ROWS_BY_EVENT.items()}
    assert named == {
        "silver.order_line_events": {each.__name__ for each in ORDER.events if "line_no" in names_of(each)},
        "silver.shipment_events": {each.__name__ for each in SHIPMENT.events},
        "gold.fact_stock_movement": {each.__name__ for each in INVENTORY.events if "on_hand" in names_of(each)},
    }


def folded(aggregate: Aggregate, event: type) -> tuple[Subject, dict[str, list[Any]]]:
    stream_id = aggregate.stream_of(openings(aggregate, event)[0])
    (subject,) = [each for each in SUBJECTS if stream_id.startswith(each.prefix)]
    view = None
    before = history(aggregate, event)
    told = [example(event)] if type(before[0]) is event else [*before, example(event)]
    for position, each in enumerate(told, 1):
        view = subject.fold(view, Recorded(position, stream_id, position, each))
    return subject, {name: list(rows) for name, rows in subject.rows(view).items()}
