"""A log written by an older version of an event makes the same star as its twin of today, live and rebuilt."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg

from adapters.postgres.quality import PostgresQuality
from adapters.postgres.read_model.certify import Summary, summarise
from adapters.postgres.read_model.schemas import LIVE
from application.codec import Recorded
from application.ports.event_store import NewEvent
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from application.upcasting import UPCASTS
from domain.order.events import OrderLineShipped
from tests.integration.story import tell_everything
from tests.integration.told import MINUTE, NOON, follow, read_model, select, silent, stored, tell

OLD_TOPIC = "OrderLineShipped.v1"
OLD_FIELDS = ("occurred_at", "line_no", "quantity", "shipment_id", "carrier_id", "open", "backordered", "allocated")


def as_written_then(recorded: Recorded, number: int) -> NewEvent:
    """Return an event as the version before today's wrote it, where there was one."""
    today = stored(recorded, NOON + number * MINUTE)
    if not isinstance(recorded.event, OrderLineShipped):
        return today
    whole: dict[str, Any] = msgspec.json.decode(today.state)
    assert whole["data"].pop("location_id") is None, "the old version could not say it"
    assert whole["data"].keys() == {*OLD_FIELDS, "shipped"}
    return today._replace(topic=OLD_TOPIC, state=msgspec.json.encode(whole))


def star(conninfo: str) -> list[dict[str, Summary]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return [summarise(connection, schema) for schema in LIVE]


def test_a_log_of_the_older_version_makes_the_same_star_live_and_rebuilt(told: str, prepared: str) -> None:
    tell(prepared, (as_written_then(each, number) for number, each in enumerate(tell_everything(), 1)))
    written = select(prepared, "SELECT topic, state FROM events.stored_events ORDER BY notification_id")
    assert [topic for topic, _ in written].count(OLD_TOPIC) == 3
    assert {upcast.topic for upcast in UPCASTS} <= {topic for topic, _ in written}, "as_written_then knows them all"

    follow(prepared)
    assert star(prepared) == star(told)

    assert PostgresQuality(prepared).run(CHECKS).failures(Severity.ERROR) == ()

    with read_model(prepared) as model:
        rebuilt = model.rebuild(silent)
        assert rebuilt.certificate is not None
        assert rebuilt.certificate.equal
        assert model.verify_sample(1_000, 1).equal
    assert star(prepared) == star(told)
    assert select(prepared, "SELECT topic, state FROM events.stored_events ORDER BY notification_id") == written


def test_the_story_has_every_event_that_was_written_otherwise_before() -> None:
    for upcast in UPCASTS:
        kind = upcast.topic.partition(".")[0]
        events = [each.event for each in tell_everything() if type(each.event).__name__ == kind]
        assert events, f"no {kind}: the twin proves nothing"
