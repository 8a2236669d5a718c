"""Folding events into views, without a database."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from application.codec import Recorded, UndecodableEventError
from application.ports.event_store import RecordedEvent
from application.projections.subject import Subject
from application.projections.table import Table
from application.replay.event_blocks import Block
from application.replay.folding import SubjectOf, decode_prefix, fold_blocks, group_streams, subject_finder
from domain.catalog.events import CarrierRegistered, CarrierRetired

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGISTERED = CarrierRegistered(occurred_at=NOON, carrier_id="a", name="A")
RETIRED = CarrierRetired(occurred_at=NOON, carrier_id="a")


def seen(view: list[int] | None, recorded: Recorded) -> list[int]:
    return [*(view or []), recorded.position]


def counted(view: tuple[int, list[int]] | None, recorded: Recorded) -> tuple[int, list[int]]:
    count, moves = view or (0, [])
    return count + 1, [*moves, recorded.position]


CARRIERS = Subject("carriers", "carrier-", (), seen, lambda rows: None, lambda view: {"carriers": view})
STOCK, MOVES = Table("stock", CarrierRetired, ()), Table("moves", CarrierRetired, (), append_only=True)
COUNTED = Subject(
    "stock",
    "stock-",
    (STOCK, MOVES),
    counted,
    lambda rows: (rows["stock"][0], []),
    lambda view: {"stock": [view[0]], "moves": view[1]},
)
SUBJECT_OF = subject_finder([CARRIERS])


def state(event: object) -> bytes:
    return b'{"data":%b}' % msgspec.json.encode(event)


def stored(position: int, stream_id: str, version: int, event: object = RETIRED) -> RecordedEvent:
    return RecordedEvent(position, stream_id, version, event.TOPIC, state(event))  # type: ignore[attr-defined]


def unknown(position: int, stream_id: str, version: int) -> RecordedEvent:
    return RecordedEvent(position, stream_id, version, "Unheard.v1", b"{}")


def test_a_subject_is_found_by_the_start_of_the_stream_id() -> None:
    assert SUBJECT_OF("carrier-a") is CARRIERS
    assert SUBJECT_OF("order-a") is None


def test_events_before_one_that_can_not_be_decoded_are_kept_and_it_is_named() -> None:
    events = [stored(1, "carrier-a", 1, REGISTERED), unknown(2, "carrier-a", 2), stored(3, "carrier-a", 3)]
    decoded, error = decode_prefix(events)
    assert decoded == [Recorded(1, "carrier-a", 1, REGISTERED)]
    assert "event carrier-a:2 (Unheard.v1) at position 2" in str(error)


BROKEN = {
    "not UTF-8": state(REGISTERED).replace(b'"A"', b'"\xff"'),
    "nested without end": b'{"data":{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "something behind it": state(REGISTERED) + b",1",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_state_that_can_not_be_read_is_named_one_by_one_and_in_a_block(broken: str) -> None:
    event = stored(7, "carrier-a", 1, REGISTERED)._replace(state=BROKEN[broken])
    decoded, error = decode_prefix([stored(6, "carrier-b", 1, REGISTERED), event])
    assert len(decoded) == 1
    assert "event carrier-a:1 (CarrierRegistered.v1) at position 7" in str(error)
    json = b'[["CarrierRegistered.v1",7,1,' + event.state + b"]]"
    with pytest.raises(UndecodableEventError, match="at position 7"):
        list(fold_blocks([Block("carrier-a", 1, json, False, lambda: [event])], SUBJECT_OF))


def test_without_a_bad_event_all_are_decoded() -> None:
    decoded, error = decode_prefix([stored(1, "carrier-a", 1, REGISTERED), stored(2, "carrier-a", 2)])
    assert [recorded.event for recorded in decoded] == [REGISTERED, RETIRED]
    assert error is None


def test_events_are_grouped_by_stream_in_log_order_and_those_of_no_subject_left_out() -> None:
    a1, b1, x1, a2 = (
        Recorded(1, "carrier-a", 1, REGISTERED),
        Recorded(2, "carrier-b", 1, REGISTERED),
        Recorded(3, "order-x", 1, REGISTERED),
        Recorded(4, "carrier-a", 2, RETIRED),
    )
    groups = group_streams([a1, b1, x1, a2], SUBJECT_OF)
    assert groups == {CARRIERS: {"carrier-a": [a1, a2], "carrier-b": [b1]}}


def block(*events: RecordedEvent, more: bool = False) -> Block:
    items = [b'["%b",%d,%d,%b]' % (e.topic.encode(), e.position, e.version, e.state) for e in events]
    return Block(events[0].stream_id, len(events), b"[%b]" % b",".join(items), more, lambda: events)


def rows(blocks: Iterable[Block], subject_of: SubjectOf = SUBJECT_OF) -> list[Any]:
    return [dict(each) for each in fold_blocks(blocks, subject_of)]


def test_a_log_in_stream_order_gives_the_rows_of_each_stream() -> None:
    log = [
        block(stored(1, "carrier-a", 1), stored(4, "carrier-a", 2)),
        block(stored(2, "carrier-b", 1)),
        block(stored(3, "order-x", 1)),
    ]
    assert rows(log) == [{"carriers": [1, 4]}, {"carriers": [2]}]


def test_a_stream_of_several_blocks_is_folded_on_from_its_rows_and_appended_rows_are_given_away() -> None:
    log = [
        block(stored(1, "stock-a", 1), stored(2, "stock-a", 2), more=True),
        block(stored(3, "stock-a", 3), more=True),
        block(stored(4, "stock-a", 4)),
        block(stored(5, "stock-b", 1)),
    ]
    assert rows(log, subject_finder([COUNTED])) == [
        {"moves": [1, 2]},
        {"moves": [3]},
        {"stock": [4], "moves": [4]},
        {"stock": [1], "moves": [5]},
    ]


@pytest.mark.parametrize("stream_id", ["carrier-b", "order-x"])
def test_a_bad_event_of_any_stream_stops_the_fold_of_a_log(stream_id: str) -> None:
    log = [block(stored(1, "carrier-a", 1)), block(stored(2, stream_id, 1), unknown(3, stream_id, 2))]
    with pytest.raises(UndecodableEventError, match=rf"{stream_id}:2 .* position 3"):
        rows(log)


def test_json_that_hides_an_event_in_another_is_read_event_by_event() -> None:
    two = b'%b],["%b",2,2,%b' % (state(RETIRED), RETIRED.TOPIC.encode(), state(RETIRED))
    log = [block(RecordedEvent(1, "carrier-a", 1, RETIRED.TOPIC, two))]
    with pytest.raises(UndecodableEventError, match=r"carrier-a:1 .* position 1"):
        rows(log)


def test_an_error_of_a_fold_keeps_its_type_and_names_the_event() -> None:
    def broken(view: object, recorded: Recorded) -> object:
        raise ZeroDivisionError

    subject = Subject("broken", "carrier-", (), broken, lambda rows: None, lambda view: {})
    with pytest.raises(ZeroDivisionError) as caught:
        rows([block(stored(7, "carrier-a", 1))], subject_finder([subject]))
    assert caught.value.__notes__ == ["while folding broken: event carrier-a:1 at position 7"]
