"""Certificates: a wrong fold is caught, its rows are named with their events, and what was found is kept."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.certificates import PostgresCertificates
from adapters.postgres.read_model import PostgresReadModel, sample
from application.codec import Recorded, known_topics
from application.ports.certificates import NoSuchCertificateError
from application.projections.registry import SUBJECTS
from application.replay.certificate import Certificate, TableCertificate
from domain.order.events import OrderLineReturned
from tests.integration.story import tell_everything
from tests.integration.told import GOLD, changed, follow, read_model, select, silent, stored, tell

LOG = tell_everything()


def forgets_returns(view: Any, recorded: Recorded) -> None:
    if isinstance(recorded.event, OrderLineReturned):
        view.lines[recorded.event.line_no].returned = 0


WRONG = changed("orders", forgets_returns)


def unequal(certificate: Certificate) -> dict[str, TableCertificate]:
    return {table.table: table for table in certificate.tables if not table.equal}


def test_a_wrong_fold_is_refused_and_exactly_its_rows_are_named_with_their_events(told: str) -> None:
    with read_model(told, WRONG) as model:
        rebuilt = model.rebuild(silent)

    assert not rebuilt.swapped
    assert rebuilt.certificate is not None
    tables = unequal(rebuilt.certificate)
    assert {"silver.order_lines", "gold.fact_order_line"} <= tables.keys()
    for table in tables.values():
        (difference,) = table.differences
        assert (table.differing, difference.key["stream_id"]) == (1, "order-o2")
    (line,) = tables["silver.order_lines"].differences
    assert line.live is not None
    assert line.rebuilt is not None
    assert (line.key["line_no"], line.columns(), line.live["returned"], line.rebuilt["returned"]) == (
        1,
        ["returned"],
        1,
        0,
    )
    positions = select(told, "SELECT notification_id FROM events.stored_events WHERE originator_id = 'order-o2'")
    assert [(event.position,) for event in line.events] == sorted(positions)
    last = line.events[-1]
    assert (last.topic, last.occurred_at) == ("OrderLineReturned.v1", datetime(2024, 2, 16, 12, tzinfo=UTC))
    assert last.description == "line_no=1 quantity=1 reason=stale returned=1"
    assert select(told, "SELECT sum(returned) FROM gold.fact_order_line") == [(1,)]


def test_a_view_of_gold_that_is_defined_otherwise_is_compared_row_by_row(told: str, tmp_path: Path) -> None:
    gold = tmp_path / "gold"
    copytree(GOLD, gold)
    view = gold / "fact_order_line_event.sql"
    view.write_text(view.read_text().replace("    e.quantity,", "    e.quantity * 1000 AS quantity,"))
    with closing(PostgresReadModel(told, SUBJECTS, gold)) as model:
        refused = model.rebuild(silent)
        assert not refused.swapped
        assert refused.certificate is not None
        (table,) = unequal(refused.certificate).values()
        assert (table.table, table.rows_live) == ("gold.fact_order_line_event", table.differing)
        assert {tuple(difference.columns()) for difference in table.differences} == {("quantity",)}
        assert all(difference.events for difference in table.differences)
        view.write_text(view.read_text().replace(" * 1000 AS quantity,", " * 1 AS quantity,"))
    with closing(PostgresReadModel(told, SUBJECTS, gold)) as model:
        assert model.rebuild(silent).swapped, "another way to say the same"


def test_a_view_of_somebody_else_in_gold_refuses_the_swap_that_would_lose_it(told: str) -> None:
    select(told, "CREATE VIEW gold.my_orders AS SELECT order_id FROM gold.fact_order")
    with read_model(told) as model:
        refused = model.rebuild(silent)
        assert refused.certificate is not None
        assert (refused.swapped, unequal(refused.certificate).keys()) == (False, {"gold.my_orders"})
        select(told, "DROP VIEW gold.my_orders")
        assert model.rebuild(silent).swapped


def test_a_change_that_is_accepted_is_kept_with_its_differences(told: str, told_pool: ConnectionPool) -> None:
    certificates = PostgresCertificates(told_pool)
    with read_model(told, WRONG) as model:
        refused = model.rebuild(silent).certificate
        accepted = model.rebuild(silent, accept_changes=True).certificate
        equal = model.verify(silent)

    assert refused is not None
    assert accepted is not None
    assert select(told, "SELECT sum(returned) FROM gold.fact_order_line") == [(0,)]
    assert certificates.load(accepted.number) == accepted
    assert accepted.tables == refused.tables
    listed = [(e.number, e.purpose, e.equal, e.swapped) for e in certificates.latest(3)]
    assert listed == [
        (equal.number, "verify", True, False),
        (accepted.number, "rebuild", False, True),
        (refused.number, "rebuild", False, False),
    ]
    assert certificates.load() == equal
    assert equal.started_at < equal.ended_at
    assert equal.event_versions == known_topics()
    assert equal.code_version == accepted.code_version


def test_a_certificate_that_was_never_made_is_a_mistake(told_pool: ConnectionPool) -> None:
    with pytest.raises(NoSuchCertificateError, match="there are no certificates yet"):
        PostgresCertificates(told_pool).load()
    with pytest.raises(NoSuchCertificateError, match="there is no certificate 7"):
        PostgresCertificates(told_pool).load(7)


def test_a_sample_of_what_is_right_is_equal_and_the_same_for_the_same_seed(told: str) -> None:
    with read_model(told) as model:
        first, again, other = (model.verify_sample(4, seed) for seed in (1, 1, 2))
        whole = model.verify_sample(1_000, 3)
    assert first.equal
    assert whole.equal
    assert (first.purpose, first.streams, first.seed) == ("sample", 4, 1)
    assert first.tables == again.tables != other.tables
    streams = {each.stream_id for each in LOG}
    assert whole.streams == len(streams)
    lines = {table.table: table for table in whole.tables}["silver.order_lines"]
    assert [(lines.rows_live, lines.rows_rebuilt)] == select(told, "SELECT count(*), count(*) FROM silver.order_lines")


def test_a_sample_names_rows_that_are_wrong_in_silver_or_in_gold_alone(told: str) -> None:
    select(told, "UPDATE silver.stock SET on_hand = on_hand + 1 WHERE product_id = 'nut'")
    select(told, "DELETE FROM gold.fact_order_line WHERE stream_id = 'order-o3'")
    with read_model(told) as model:
        certificate = model.verify_sample(1_000, 1)
    tables = unequal(certificate)
    (stock,) = tables["silver.stock"].differences
    assert (stock.key, stock.columns()) == ({"stream_id": "inventory-nut@hamburg"}, ["on_hand"])
    assert [event.topic for event in stock.events] == ["StockReceived.v1", "StockReserved.v1", "StockCounted.v1"]
    (line,) = tables["gold.fact_order_line"].differences
    assert (line.key, line.live) == ({"stream_id": "order-o3", "line_no": 1}, None)
    assert [event.topic for event in line.events] == ["OrderPlaced.v1", "OrderLineBackordered.v1"]


def test_a_sample_sees_one_moment_while_the_follower_goes_on(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    silver = sample.Sample._silver

    def follow_meanwhile(self: sample.Sample, ids: list[str]) -> Any:
        returned = next(each for each in LOG if isinstance(each.event, OrderLineReturned))
        tell(told, [stored(returned._replace(version=returned.version + 1))])
        assert follow(told) == 1
        return silver(self, ids)

    with read_model(told) as model:
        monkeypatch.setattr(sample.Sample, "_silver", follow_meanwhile)
        certificate = model.verify_sample(1_000, 1)
        assert certificate.equal
        assert certificate.position < model.position()


def test_a_sample_of_an_empty_log_is_equal(prepared: str) -> None:
    with read_model(prepared) as model:
        certificate = model.verify_sample(10, 1)
    assert (certificate.equal, certificate.streams, certificate.tables) == (True, 0, ())
