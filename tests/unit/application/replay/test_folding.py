"""Folding events into views, without a database."""

from datetime import UTC, datetime

import pytest

from application.codec import Recorded, UndecodableEventError, encode
from application.ports.event_store import RecordedEvent
from application.projections.subject import Subject
from application.replay.folding import decode_prefix, fold_log, group_streams, subject_finder
from domain.catalog.events import CarrierRegistered, CarrierRetired

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGISTERED = CarrierRegistered(occurred_at=NOON, carrier_id="a", name="A")
RETIRED = CarrierRetired(occurred_at=NOON, carrier_id="a")


def seen(view: list[int] | None, recorded: Recorded) -> list[int]:
    return [*(view or []), recorded.position]


CARRIERS = Subject("carriers", "carrier-", (), seen, lambda rows: None, lambda view: {})
SUBJECT_OF = subject_finder([CARRIERS])


def stored(position: int, stream_id: str, version: int, event: object = RETIRED) -> RecordedEvent:
    return RecordedEvent(position, stream_id, version, event.TOPIC, encode(event, b"{}"))  # type: ignore[attr-defined]


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


def test_a_log_in_stream_order_gives_the_view_of_each_stream() -> None:
    log = [
        stored(1, "carrier-a", 1),
        stored(4, "carrier-a", 2),
        stored(2, "carrier-b", 1),
        stored(3, "order-x", 1),
    ]
    assert list(fold_log(log, SUBJECT_OF)) == [(CARRIERS, [1, 4]), (CARRIERS, [2])]


@pytest.mark.parametrize("stream_id", ["carrier-b", "order-x"])
def test_a_bad_event_of_any_stream_stops_the_fold_of_a_log(stream_id: str) -> None:
    log = [stored(1, "carrier-a", 1), unknown(2, stream_id, 1)]
    with pytest.raises(UndecodableEventError, match=f"{stream_id}:1"):
        list(fold_log(log, SUBJECT_OF))


def test_an_error_of_a_fold_keeps_its_type_and_names_the_event() -> None:
    def broken(view: object, recorded: Recorded) -> object:
        raise ZeroDivisionError

    subject = Subject("broken", "carrier-", (), broken, lambda rows: None, lambda view: {})
    with pytest.raises(ZeroDivisionError) as caught:
        list(fold_log([stored(7, "carrier-a", 1)], subject_finder([subject])))
    assert caught.value.__notes__ == ["while folding broken: event carrier-a:1 at position 7"]
