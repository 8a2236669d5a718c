"""What is still taken and what is not any more; decoded in one pass or step by step, a message says the same."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from application.ingest.decision import decode_message
from application.ingest.messages import (
    MAX_PAYLOAD,
    InvalidMessageError,
    decode_command,
    decode_envelope,
    encode_command,
    require_storable,
)
from application.ingest.sound import decode_sound
from application.ports.message_stream import ReceivedMessage
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from domain.order.commands import OrderedLine, PlaceOrder
from domain.shipment.commands import DispatchShipment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, BEFORE = datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
LAST, AFTER = datetime(2069, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2070, 1, 1, tzinfo=UTC)
FIRST_DAY, DAY_BEFORE, LAST_DAY, DAY_AFTER = FIRST.date(), BEFORE.date(), LAST.date(), AFTER.date()
LONG, WIDE = "x" * 200, "\N{BICYCLE}" * 150


def order(product_id: str = "p1", **more: Any) -> bytes:
    line = OrderedLine(line_no=1, product_id=product_id, quantity=1, unit_price=Decimal(2))
    values = {"order_id": "o1", "occurred_at": NOON, "customer_id": "c1", "currency": "EUR", **more}
    return encode_command(PlaceOrder(lines=(line,), **values), message_id="1", source="test").payload


def dispatch(**more: Any) -> bytes:
    values = {"shipment_id": "s1", "occurred_at": NOON, **more}
    return encode_command(DispatchShipment(**values), message_id="1", source="test").payload


def enveloped(**attributes: str) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(order()) | attributes)


def padded(size: int) -> bytes:
    payload = order()
    return payload + b" " * (size - len(payload))


EDGES: list[tuple[str, bytes, bytes]] = [
    ("TimeOutOfRange", order(occurred_at=FIRST), order(occurred_at=BEFORE)),
    ("TimeOutOfRange", order(occurred_at=LAST), order(occurred_at=AFTER)),
    ("TimeOutOfRange", dispatch(eta=FIRST), dispatch(eta=BEFORE)),
    ("TimeOutOfRange", dispatch(eta=LAST), dispatch(eta=AFTER)),
    ("TimeOutOfRange", order(requested_date=FIRST_DAY), order(requested_date=DAY_BEFORE)),
    ("TimeOutOfRange", order(promised_date=LAST_DAY), order(promised_date=DAY_AFTER)),
    ("MissingOffset", dispatch(eta=NOON), dispatch(eta=NOON.replace(tzinfo=None))),
    ("TextTooLong", order(ship_to_city=LONG), order(ship_to_city=LONG + "x")),
    ("TextTooLong", order(ship_to_city=WIDE), order(ship_to_city=WIDE + "\N{BICYCLE}")),
    ("TextTooLong", order(product_id=LONG), order(product_id=LONG + "x")),
    ("TextTooLong", order(product_id=WIDE), order(product_id=WIDE + "\N{BICYCLE}")),
    ("InvalidIdentifier", order(order_id=LONG), order(order_id=LONG + "x")),
    ("InvalidIdentifier", order(order_id="o 1"), order(order_id="o\u200b1")),
    ("InvalidIdentifier", order(order_id="o/1"), order(order_id="o@1@2")),
    ("InvalidEnvelope", enveloped(id=LONG), enveloped(id=LONG + "x")),
    ("InvalidEnvelope", enveloped(source=LONG), enveloped(source=LONG + "x")),
    ("InvalidEnvelope", enveloped(id="a b"), enveloped(id="a\tb")),
    ("InvalidEnvelope", enveloped(id="a"), enveloped(id="")),
    ("InvalidEnvelope", enveloped(source="a"), enveloped(source="")),
    ("MessageTooLarge", padded(MAX_PAYLOAD), padded(MAX_PAYLOAD + 1)),
]


@pytest.mark.parametrize(("code", "taken", "refused"), EDGES)
def test_up_to_its_edge_a_message_is_taken_and_beyond_it_refused(code: str, taken: bytes, refused: bytes) -> None:
    assert decode_message(received(taken)).reason is None
    assert decode_sound(taken) is not None, "in one pass, as nearly all are"
    reason = decode_message(received(refused)).reason
    assert reason is not None
    assert reason.code == code


def test_in_one_pass_a_message_is_what_it_is_step_by_step() -> None:
    settings = SimulationSettings(start=datetime(2025, 1, 6, tzinfo=UTC), seed=5, orders=60, days=20)
    simulated = (each.payload for each in with_faults(messages(settings), seed=1, broken_share=0.05))
    sound = 0
    for payload in [*simulated, *(payload for _, *both in EDGES for payload in both)]:
        steps, whole = in_steps(payload), decode_sound(payload)
        if whole is not None:
            sound += 1
            envelope, message_id, stream_id = whole
            assert steps == (message_id, stream_id, envelope.message_type.name, envelope.data)
            assert envelope.origin == decode_envelope(payload).origin
        else:
            assert steps is None
    assert sound > 500


def in_steps(payload: bytes) -> tuple[Any, ...] | None:
    """Return id, stream, type and command of a message, None where something is wrong with it."""
    try:
        envelope = decode_envelope(payload)
        require_storable(payload)
        message_type, command, stream_id = decode_command(envelope)
    except InvalidMessageError:
        return None
    return envelope.message_id, stream_id, message_type.name, command


def received(payload: bytes) -> ReceivedMessage:
    return ReceivedMessage("orders", 0, 0, None, payload)
