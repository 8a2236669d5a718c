"""Published events keep their shape: one stored event of every topic is read and written alike, for ever."""

import json
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from application.codec import EVENT_TYPES, decode, decode_with_metadata, encode, known_topics
from domain.order.commands import OrderedLine
from domain.order.events import IncreasedLine
from domain.shipment.commands import ShipmentLine, ShippedQuantity

GOLDEN = {path.stem: path for path in (Path(__file__).parent / "golden").glob("*.json")}
TIMES = {
    "occurred_at",
    "eta",
    "observed_at",
    "ordered_at",
    "planned_delivery_at",
    "planned_dispatch_at",
    "previous_eta",
    "recorded_at",
}
DATES = {"original_promised_date", "promised_date", "requested_date"}
AMOUNTS = {"discount", "freight", "unit_cost", "unit_price"}
LINES = {
    "OrderPlaced.v1": OrderedLine,
    "OrderLinesAdded.v1": OrderedLine,
    "OrderLinesIncreased.v1": IncreasedLine,
    "ShipmentPlanned.v1": ShipmentLine,
    "ShipmentDelivered.v1": ShippedQuantity,
}

every_topic = pytest.mark.parametrize("topic", sorted(EVENT_TYPES))


def stored(topic):
    return json.loads(GOLDEN[topic].read_bytes())


def converted(topic, name, value):
    if name in TIMES:
        return datetime.fromisoformat(value)
    if name in DATES:
        return date.fromisoformat(value)
    if name in AMOUNTS:
        return Decimal(value)
    if name == "lines":
        return tuple(LINES[topic](**expected(topic, line)) for line in value)
    return value


def expected(topic, data):
    return {name: converted(topic, name, value) for name, value in data.items()}


def typed(values):
    """Values with their types beside them, so that 1, 1.0 and Decimal(1) differ."""
    return {name: (type(value), value) for name, value in values.items()}


def attributes(event):
    return {field.name: getattr(event, field.name) for field in fields(event)}


def test_every_topic_has_a_golden_event_and_every_golden_event_a_topic():
    assert set(GOLDEN) == set(known_topics())


@every_topic
def test_golden_event_fills_every_attribute(topic):
    data = stored(topic)["data"]
    assert None not in data.values()
    assert data.keys() == {field.name for field in fields(EVENT_TYPES[topic])}


@every_topic
def test_golden_event_is_decoded_to_the_event_that_was_stored(topic):
    event = decode(1, "stream", 1, topic, GOLDEN[topic].read_bytes())
    assert type(event).__name__ == topic.partition(".")[0]
    assert typed(attributes(event)) == typed(expected(topic, stored(topic)["data"]))
    for line in getattr(event, "lines", ()):
        assert type(line) is LINES[topic]


@every_topic
def test_golden_event_is_decoded_with_its_metadata(topic):
    event, metadata = decode_with_metadata(1, "stream", 1, topic, GOLDEN[topic].read_bytes())
    assert event == decode(1, "stream", 1, topic, GOLDEN[topic].read_bytes())
    assert {name: getattr(metadata, name) for name in metadata.__struct_fields__} == expected(
        topic, stored(topic)["meta"]
    )


@every_topic
def test_golden_event_encoded_again_is_the_same(topic):
    event, metadata = decode_with_metadata(1, "stream", 1, topic, GOLDEN[topic].read_bytes())
    assert json.loads(encode(event, metadata)) == stored(topic)
