"""Shapes: what stands for an event while it is folded."""

from dataclasses import fields
from typing import Any

import msgspec
import pytest

from application.codec import EVENT_TYPES
from application.event_shapes import by_event, shape
from domain.order.events import OrderLineReturned, OrderPlaced
from tests.integration.story import tell_everything

TOLD = {type(each.event): each.event for each in tell_everything()}


def fields_of(event: Any) -> Any:
    if isinstance(event, tuple):
        return [fields_of(each) for each in event]
    names = [each.name for each in fields(event.__class__)] if hasattr(event.__class__, "__dataclass_fields__") else []
    return {name: fields_of(getattr(event, name)) for name in names} if names else (type(event), event)


@pytest.mark.parametrize("event", TOLD.values(), ids=lambda event: type(event).__name__)
def test_a_shape_says_what_the_event_says(event: object) -> None:
    shaped = msgspec.json.decode(msgspec.json.encode(event), type=shape(type(event)))
    assert fields_of(shaped) == fields_of(event)


@pytest.mark.parametrize("event_type", EVENT_TYPES.values())
def test_a_shape_has_the_fields_of_the_event(event_type: type) -> None:
    assert shape(event_type).__struct_fields__ == tuple(each.name for each in fields(event_type))


def test_a_shape_is_an_instance_of_the_event_that_it_stands_for() -> None:
    told = TOLD[OrderLineReturned]
    shaped = msgspec.json.decode(msgspec.json.encode(told), type=shape(OrderLineReturned))
    assert isinstance(shaped, OrderLineReturned)
    assert not isinstance(shaped, OrderPlaced)


def test_what_is_known_by_an_event_is_known_by_its_shape() -> None:
    known = by_event({OrderPlaced: "placed"})
    assert known == {OrderPlaced: "placed", shape(OrderPlaced): "placed"}
