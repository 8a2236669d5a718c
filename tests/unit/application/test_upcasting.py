"""Events of older versions are read as those of today, whatever lies between; what can't be read says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from application import codec
from application.codec import (
    Decoders,
    UndecodableEventError,
    decode,
    decode_with_metadata,
    decoders,
    known_topics,
    topics_of,
)
from application.ports.event_store import RecordedEvent
from application.replay import event_blocks
from application.replay.event_blocks import Block, decode_block
from application.upcasting import UPCASTS, InvalidUpcastError, Upcast
from domain.shared.record import record

GOLDEN = Path(__file__).parent / "golden"
ADDED = {"OrderLineShipped.v1": ("OrderLineShipped.v2", {"location_id": None})}
"""Of each old topic, the topic of today and what its events say besides."""
META = b'{"recorded_at":"2026-01-01T12:00:00Z","causation_id":"m1","correlation_id":"m1","source":"a.csv:1"}'


@record
class PriceSetV1:
    TOPIC = "PriceSet.v1"

    cents: int


@record
class PriceSetV2:
    TOPIC = "PriceSet.v2"

    amount: str


@record
class PriceSet:
    TOPIC = "PriceSet.v3"

    amount: str
    currency: str | None


TO_V2 = Upcast("PriceSet.v1", PriceSetV1, lambda old: PriceSetV2(amount=f"{old.cents // 100}.{old.cents % 100:02}"))
TO_V3 = Upcast("PriceSet.v2", PriceSetV2, lambda old: PriceSet(amount=old.amount, currency=None))


def stored(event: object) -> bytes:
    return b'{"meta":%b,"data":%b}' % (META, msgspec.json.encode(event))


def use(monkeypatch: pytest.MonkeyPatch, *upcasts: Upcast) -> Decoders:
    made = decoders({"PriceSet.v3": PriceSet}, upcasts)
    monkeypatch.setattr(codec, "_DATA", made.data)
    monkeypatch.setattr(codec, "_WHOLE", made.whole)
    return made


def test_an_event_of_any_version_comes_out_as_that_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, TO_V3, TO_V2)
    for event in (PriceSetV1(cents=1205), PriceSetV2(amount="12.05"), PriceSet(amount="12.05", currency=None)):
        state = stored(event)
        assert decode(1, "price-1", 1, event.TOPIC, state) == PriceSet(amount="12.05", currency=None)
        read, metadata = decode_with_metadata(1, "price-1", 1, event.TOPIC, state)
        assert (read, metadata.source) == (PriceSet(amount="12.05", currency=None), "a.csv:1")
    assert known_topics() == ("PriceSet.v1", "PriceSet.v2", "PriceSet.v3")


def test_events_of_today_are_read_without_a_detour(monkeypatch: pytest.MonkeyPatch) -> None:
    made = use(monkeypatch, TO_V3)
    assert type(made.data["PriceSet.v3"]) is type(made.whole["PriceSet.v3"]) is msgspec.json.Decoder


@pytest.mark.parametrize("reason", [KeyError("currency"), ValueError("no such currency")])
def test_an_upcast_that_fails_names_the_event_and_why(monkeypatch: pytest.MonkeyPatch, reason: Exception) -> None:
    def fail(_: object) -> object:
        raise reason

    use(monkeypatch, Upcast("PriceSet.v1", PriceSetV1, fail))
    with pytest.raises(
        UndecodableEventError, match=r"price-1:4 \(PriceSet.v1\) at position 7 .* upcast failed: .*curre"
    ):
        decode(7, "price-1", 4, "PriceSet.v1", stored(PriceSetV1(cents=5)))


def block(monkeypatch: pytest.MonkeyPatch, upcast: Upcast) -> Block:
    """Return an event of today and one of an older version as one block, where they are known with this upcast."""
    use(monkeypatch, upcast)
    monkeypatch.setattr(event_blocks, "EVENT_TYPES", {"PriceSet.v3": PriceSet})
    monkeypatch.setattr(event_blocks, "UPCASTS", (upcast,))
    monkeypatch.setattr(event_blocks, "_decoding", event_blocks._decoding.__wrapped__)
    written = (PriceSet(amount="9.00", currency="EUR"), PriceSetV2(amount="12.05"))
    events = [RecordedEvent(n, "price-1", n, each.TOPIC, stored(each)) for n, each in enumerate(written, 3)]
    json_array = b",".join(b'["%b",%d,%d,%b]' % (e.topic.encode(), e.position, e.version, e.state) for e in events)
    return Block("price-1", 2, b"[%b]" % json_array, False, lambda: events)


def test_old_events_in_a_block_come_out_as_those_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = block(monkeypatch, TO_V3)._replace(one_by_one=list)
    found = [(each.version, each.event.amount, each.event.currency) for each in decode_block(at_once)]
    assert found == [(3, "9.00", "EUR"), (4, "12.05", None)]


def test_an_upcast_that_fails_in_a_block_names_the_event_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(old: PriceSetV2) -> PriceSet:
        raise ValueError(f"no currency of {old.amount}")

    with pytest.raises(UndecodableEventError, match=r"price-1:4 \(PriceSet.v2\) at position 4 .*no currency of 12.05"):
        decode_block(block(monkeypatch, Upcast("PriceSet.v2", PriceSetV2, fails)))


def test_an_old_event_that_does_not_fit_its_own_shape_can_not_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, TO_V2, TO_V3)
    with pytest.raises(UndecodableEventError, match="amount"):
        decode(7, "price-1", 4, "PriceSet.v2", stored(PriceSetV1(cents=5)))


@pytest.mark.parametrize("upcasts", [(TO_V2, TO_V2), (Upcast("PriceSet.v3", PriceSet, lambda old: old),)])
def test_upcasts_that_contradict_each_other_are_refused(upcasts: tuple[Upcast, ...]) -> None:
    with pytest.raises(InvalidUpcastError, match="written today, or has two upcasts"):
        decoders({"PriceSet.v3": PriceSet}, upcasts)


def test_an_upcast_that_turns_in_a_circle_is_an_event_that_can_not_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Upcast("PriceSet.v1", PriceSetV1, lambda old: old))
    with pytest.raises(UndecodableEventError, match=r"PriceSet.v1 turns into itself"):
        decode(7, "price-1", 4, "PriceSet.v1", stored(PriceSetV1(cents=5)))


@pytest.mark.parametrize("topic", [upcast.topic for upcast in UPCASTS])
def test_a_golden_event_of_an_old_version_comes_out_as_that_of_today(topic: str) -> None:
    state = (GOLDEN / f"{topic}.json").read_bytes()
    written = json.loads(state)["data"]
    today, added = ADDED[topic]
    expected = msgspec.json.encode({"meta": json.loads(state)["meta"], "data": written | added})
    assert None not in written.values()
    assert decode(1, "stream", 1, topic, state) == decode(1, "stream", 1, today, expected)
    assert today == type(decode(1, "stream", 1, topic, state)).TOPIC


def test_whoever_asks_for_an_event_asks_for_all_of_its_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, TO_V3, TO_V2)
    assert topics_of(PriceSet) == ("PriceSet.v1", "PriceSet.v2", "PriceSet.v3")


def test_only_the_events_themselves_and_their_upcasts_name_a_version() -> None:
    sources = Path(codec.__file__).parent.parent
    topic = re.compile(r"""['"][A-Z][A-Za-z]+\.v\d+['"]""")
    naming = {
        path.relative_to(sources).as_posix()
        for path in sources.rglob("*")
        if path.suffix in {".py", ".sql"} and topic.search(path.read_text(encoding="utf-8"))
    }
    of_events = {name for name in naming if name.startswith("domain/") and name.endswith("/events.py")}
    assert naming - of_events - {"application/replay/event_blocks.py"} == {"application/upcasting.py"}, "use topics_of"
