"""Simulated messages: equal for equal settings, decodable, and faulty only where asked."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pytest

from application.ingest.messages import MAX_PAYLOAD, InvalidMessageError, decode_command, decode_envelope
from application.ports.message_stream import OutgoingMessage
from application.simulation.broken import BROKEN_KINDS, OVERSIZED_UNTIL, broken_kind
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from domain.shared.refusal import Refusal

SETTINGS = SimulationSettings(start=datetime(2025, 1, 6, tzinfo=UTC), seed=5, orders=150, days=30)


@pytest.fixture(scope="module")
def sound() -> list[OutgoingMessage]:
    return list(messages(SETTINGS))


def by_key(stream: list[OutgoingMessage]) -> dict[str, list[bytes]]:
    ordered = sorted(stream, key=lambda message: message.key)
    return {key: [message.payload for message in group] for key, group in groupby(ordered, lambda m: m.key)}


def reason(message: OutgoingMessage) -> str:
    try:
        message_type, command, _ = decode_command(decode_envelope(message.payload))
        message_type.aggregate.decide(None, command)
    except InvalidMessageError as error:
        return error.reason.code
    except Refusal as refusal:
        return refusal.code
    return "accepted"


def test_equal_settings_give_equal_bytes_and_another_seed_gives_others(sound: list[OutgoingMessage]) -> None:
    assert list(messages(SETTINGS)) == sound
    assert list(messages(replace(SETTINGS, seed=6)))[:1000] != sound[:1000]


def test_message_ids_sort_as_sent_and_name_their_generator(sound: list[OutgoingMessage]) -> None:
    envelopes = [decode_envelope(message.payload) for message in sound]
    ids = [envelope.id for envelope in envelopes]
    assert ids == sorted(set(ids))
    assert {(envelope.source, envelope.actor) for envelope in envelopes} == {("generator/5", "generator")}


def test_every_message_decodes_and_belongs_to_its_order(sound: list[OutgoingMessage]) -> None:
    for message in sound:
        envelope = decode_envelope(message.payload)
        message_type, command, stream_id = decode_command(envelope)
        assert (message.topic, message.key) == (message_type.aggregate.topic, stream_id)
        if message.topic in ("orders", "shipments") and hasattr(command, "order_id"):
            assert envelope.correlationid == command.order_id


def test_ids_of_two_runs_of_a_seed_never_meet(sound: list[OutgoingMessage]) -> None:
    other = messages(replace(SETTINGS, run="R2", register_catalog=False))
    mine = {decode_envelope(message.payload).message_id for message in sound}
    theirs = {decode_envelope(message.payload).message_id for message in other}
    assert mine.isdisjoint(theirs)


def test_without_shares_nothing_changes(sound: list[OutgoingMessage]) -> None:
    assert list(with_faults(sound, seed=1)) == sound


def test_duplicates_are_the_same_message_again_later(sound: list[OutgoingMessage]) -> None:
    faulty = list(with_faults(sound, seed=1, duplicate_share=0.05))
    times = Counter(faulty)
    assert set(times) == set(sound)
    assert 0.03 <= sum(1 for count in times.values() if count == 2) / len(sound) <= 0.07
    assert list(dict.fromkeys(faulty)) == sound


def test_late_messages_leave_their_place_but_keep_the_order_of_their_key(
    sound: list[OutgoingMessage],
) -> None:
    faulty = list(with_faults(sound, seed=1, late_share=0.05))
    assert faulty != sound
    assert Counter(faulty) == Counter(sound)
    assert by_key(faulty) == by_key(sound)


def test_broken_messages_are_additional_and_end_with_the_reason_of_their_kind(
    sound: list[OutgoingMessage],
) -> None:
    faulty = list(with_faults(sound, seed=1, broken_share=0.02))
    known = set(sound)
    broken = [message for message in faulty if message not in known]
    assert [message for message in faulty if message in known] == sound
    assert len(broken) >= 2 * len(BROKEN_KINDS)
    expected = [broken_kind(number).code for number in range(len(broken))]
    assert [reason(message) for message in broken] == expected


def test_ten_kinds_come_one_after_the_other_and_oversized_ones_end() -> None:
    assert len({kind.name for kind in BROKEN_KINDS}) == 10
    assert [broken_kind(number) for number in range(10)] == list(BROKEN_KINDS)
    later = {broken_kind(OVERSIZED_UNTIL + number).name for number in range(100)}
    assert later == {kind.name for kind in BROKEN_KINDS} - {"oversized"}


def test_oversized_messages_are_just_over_the_limit(sound: list[OutgoingMessage]) -> None:
    sizes = [len(message.payload) for message in with_faults(sound, seed=1, broken_share=0.02)]
    assert MAX_PAYLOAD < max(sizes) < MAX_PAYLOAD + 2000


def test_faults_are_equal_for_equal_seeds(sound: list[OutgoingMessage]) -> None:
    shares: dict[str, Any] = {"duplicate_share": 0.03, "late_share": 0.03, "broken_share": 0.01}
    faulty = list(with_faults(sound, seed=4, **shares))
    assert list(with_faults(sound, seed=4, **shares)) == faulty
    assert list(with_faults(sound, seed=5, **shares)) != faulty
