"""Messages in CloudEvents' binary content mode: the same messages as in structured mode."""

import json

import pytest

from adapters.kafka.cloud_events import structured, trace_of
from application.ingest.messages import decode_envelope

NAMED = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"/shop"), ("ce_type", b"dataflow.HoldOrder.v1")]


def test_attributes_are_headers_and_the_value_is_the_data() -> None:
    headers = [("content-type", b"application/json"), *NAMED, ("ce_subject", b"order-1"), ("ce_originline", b"12")]
    envelope = decode_envelope(structured(headers, b'{"order_id": 1.10}'))
    assert (envelope.message_id, envelope.type, envelope.subject) == ("/shop 7", "dataflow.HoldOrder.v1", "order-1")
    assert (envelope.datacontenttype, envelope.originline) == ("application/json", 12)
    assert bytes(envelope.data) == b'{"order_id": 1.10}', "numbers keep their digits"


def test_the_trace_of_a_producer_is_an_attribute_and_other_headers_are_none() -> None:
    made = json.loads(structured([("traceparent", b"00-a-b-01"), ("shard", b"3"), *NAMED], b"{}"))
    assert made["traceparent"] == "00-a-b-01"
    assert "shard" not in made
    own = json.loads(structured([("traceparent", b"00-a-b-01"), ("ce_traceparent", b"00-c-d-01"), *NAMED], b"{}"))
    assert own["traceparent"] == "00-c-d-01", "the event's own trace counts, not that of its transport"


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("content-type", b"application/cloudevents+json; charset=UTF-8")],
        [("content-type", b"Application/CloudEvents+json"), *NAMED],
        [("traceparent", b"00-a-b-01"), ("ce_id", b"7")],
    ],
)
def test_other_messages_stay_as_they_are(headers: list[tuple[str, bytes | None]] | None) -> None:
    assert structured(headers, b'{"specversion":"1.0"}') == b'{"specversion":"1.0"}'


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_value_that_is_not_json_stays_as_it_is(value: bytes) -> None:
    assert structured(NAMED, value) == value


@pytest.mark.parametrize(
    "header", [("ce_source", b"\xff\xfe"), ("ce_actor", None), ("ce_originline", b"1" * 5_000), ("ce_data", b"x")]
)
def test_odd_headers_make_json_all_the_same(header: tuple[str, bytes | None]) -> None:
    assert json.loads(structured([*NAMED, header], b"[1]"))["data"] == [1]


def test_a_trace_in_the_headers_is_told_apart_from_the_value() -> None:
    assert trace_of([("content-type", b"application/cloudevents+json"), ("shard", b"3")]) is None
    assert trace_of([("traceparent", None), ("tracestate", b"vendor=x")]) is None
    assert trace_of([("tracestate", b"vendor=x"), ("traceparent", b"00-a-b-01")]) == ("00-a-b-01", "vendor=x")
    assert trace_of([("traceparent", b"\xff"), ("tracestate", None)]) == ("\\xff", "")


def test_ids_that_are_no_text_stay_different() -> None:
    ids = {json.loads(structured([*NAMED, ("ce_id", raw)], b"{}"))["id"] for raw in (b"\xff7", b"\xfe7", b"\xfd7")}
    assert len(ids) == 3
