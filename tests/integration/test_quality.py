"""Checks of the data on a real PostgreSQL: a sound star passes, each kind of fault is caught by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
import pytest

from adapters.postgres.quality import PostgresQuality
from application.codec import Recorded
from application.ports.quality import CheckResult
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from domain.inventory.commands import ReceiveStock
from entrypoints.cli.replay import rebuild
from tests.integration.star import Star, star
from tests.integration.story import Story, tell_everything, tell_of_two_suppliers
from tests.integration.test_daily_report import url_of

LOG = tell_everything()


@pytest.fixture
def sound(prepared: str) -> Iterator[Star]:
    with star(prepared, LOG) as opened:
        yield opened


def failed(house: Star) -> dict[str, CheckResult]:
    return {result.name: result for result in house.quality.run(CHECKS).results if not result.passed}


def test_a_sound_star_passes_and_names_inferred_members_as_a_warning(sound: Star) -> None:
    run = sound.quality.run(CHECKS)
    assert run.failures(Severity.ERROR) == ()
    warnings = [(each.name, each.keys) for each in run.failures(Severity.WARN)]
    assert warnings == [("range gold.dim_customer.inferred", ("c2",))]
    assert {check.name for check in CHECKS} == {result.name for result in run.results}
    assert run.position == sound.read_model.position()


def test_a_shipment_that_comes_before_its_order_is_a_warning(prepared: str) -> None:
    with star(prepared, tell_of_two_suppliers()) as house:
        run = house.quality.run(CHECKS)
        assert run.failures(Severity.ERROR) == ()
        warnings = {each.name: each.keys for each in run.failures(Severity.WARN)}
        assert warnings["relationship silver.shipment_lines.order_id"] == ("shipment-s9 1",)


def test_the_last_run_is_kept_with_the_keys_that_offend(sound: Star) -> None:
    assert sound.quality.last() is None
    sound.quality.run(CHECKS)
    sound.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE order_id = 'o2'")
    run = sound.quality.run(CHECKS)
    kept = sound.quality.last()
    assert kept is not None
    assert {each.name: each for each in kept.results} == {each.name: each for each in run.results}
    assert {each.name: (each.offending, each.keys) for each in kept.failures(Severity.ERROR)} == {
        "reconciliation order lines": (1, ("freight, events_say 11.00, silver_says 11.00, gold_says 12.00",)),
        "reconciliation line by line": (1, ("order-o2 1",)),
        "reconciliation orders": (1, ("order-o2",)),
    }


@pytest.mark.parametrize(
    ("check", "keys", "faults"),
    [
        (
            "unique gold.fact_shipment",
            ("shipment-s1",),
            (
                "ALTER TABLE gold.fact_shipment DROP CONSTRAINT fact_shipment_pkey",
                "INSERT INTO gold.fact_shipment SELECT * FROM gold.fact_shipment WHERE shipment_id = 's1'",
            ),
        ),
        (
            "not null gold.fact_order_line",
            ("order-o2 1",),
            (
                "ALTER TABLE gold.fact_order_line ALTER placed_at DROP NOT NULL",
                "UPDATE gold.fact_order_line SET placed_at = NULL WHERE order_id = 'o2'",
            ),
        ),
        (
            "relationship gold.fact_stock_movement.product_key",
            ("inventory-nut@hamburg 1",),
            (
                "ALTER TABLE gold.fact_stock_movement DROP CONSTRAINT fact_stock_movement_product_key_fkey",
                "UPDATE gold.fact_stock_movement SET product_key = 7 WHERE product_id = 'nut' AND version = 1",
            ),
        ),
        (
            "accepted values gold.fact_shipment.status",
            ("shipment-s2",),
            (
                "ALTER TABLE gold.fact_shipment DROP CONSTRAINT fact_shipment_status_check",
                "UPDATE gold.fact_shipment SET status = 'lost' WHERE shipment_id = 's2'",
            ),
        ),
        (
            "range gold.fact_order_line.discount",
            ("order-o1 1",),
            ("UPDATE gold.fact_order_line SET discount = 1.1 WHERE order_id = 'o1' AND line_no = 1",),
        ),
        (
            "freshness read models",
            ("product-tea:2", "carrier-dhl:1"),
            (
                "UPDATE events.notification_tracking SET notification_id = ("
                "SELECT notification_id - 1 FROM events.stored_events "
                "WHERE originator_id = 'product-tea' AND originator_version = 2)",
            ),
        ),
        (
            "reconciliation order lines",
            ("gross, events_say 192.00, silver_says 192.00, gold_says 193.00",),
            ("UPDATE gold.fact_order_line SET gross = gross + 1 WHERE order_id = 'o3'",),
        ),
        (
            "reconciliation events",
            ("OrderLineShipped: 3 events, 2 rows of silver.order_line_events shipped",),
            ("DELETE FROM silver.order_line_events WHERE stream_id = 'order-o2' AND kind = 'shipped'",),
        ),
        (
            "reconciliation shipments",
            ("shipment-s3: units 4 and ",),
            ("DELETE FROM gold.fact_shipment WHERE shipment_id = 's3'",),
        ),
        (
            "reconciliation stock levels",
            ("inventory-tea@hamburg",),
            ("UPDATE silver.stock SET on_hand = on_hand + 1 WHERE product_id = 'tea'",),
        ),
        (
            "reconciliation stock levels",
            ("inventory-nut@hamburg",),
            ("UPDATE silver.stock SET quarantined = quarantined + 1 WHERE product_id = 'nut'",),
        ),
        (
            "reconciliation stock levels",
            ("inventory-nut@hamburg",),
            (
                "UPDATE gold.fact_stock_daily SET reserved = reserved - 1, available = available + 1 "
                "WHERE product_id = 'nut' AND date_key = (SELECT max(date_key) FROM gold.fact_stock_daily)",
            ),
        ),
        (
            "reconciliation stock movements",
            ("inventory-nut@hamburg 1",),
            ("UPDATE gold.fact_stock_movement SET on_hand = 9 WHERE product_id = 'nut' AND version = 1",),
        ),
        (
            "reconciliation shipments",
            ("shipment-s1: units 4 and 4",),
            (
                "UPDATE gold.fact_shipment SET planned_delivery_at = planned_delivery_at + interval '1 day' "
                "WHERE shipment_id = 's1'",
            ),
        ),
        (
            "reconciliation line by line",
            ("order-o2 1",),
            ("UPDATE gold.fact_order_line SET last_shipped_at = placed_at WHERE order_id = 'o2'",),
        ),
        (
            "reconciliation line by line",
            ("order-o2 1",),
            ("UPDATE gold.fact_order_line SET requested_date_key = placed_date_key WHERE order_id = 'o2'",),
        ),
        (
            "reconciliation orders",
            ("order-o2",),
            ("UPDATE gold.fact_order SET delivered_at = delivered_at + interval '1 day' WHERE order_id = 'o2'",),
        ),
        (
            "reconciliation orders",
            ("order-o1",),
            ("UPDATE gold.fact_order SET promised_date_key = NULL WHERE order_id = 'o1'",),
        ),
        (
            "reconciliation freight",
            ("order-o1", "order-o2"),
            (
                "UPDATE silver.order_lines SET freight = freight - 1 WHERE order_id = 'o1' AND line_no = 1",
                "UPDATE silver.order_lines SET freight = freight + 1 WHERE order_id = 'o2'",
            ),
        ),
        (
            "reconciliation line by line",
            ("order-o2 1",),
            ("UPDATE gold.fact_order_line SET delivered = 0, returned = 0 WHERE order_id = 'o2'",),
        ),
        (
            "reconciliation orders",
            ("order-o2", "order-o3"),
            (
                "DELETE FROM gold.fact_order WHERE order_id = 'o2'",
                "UPDATE gold.fact_order SET net = net + 100 WHERE order_id = 'o3'",
            ),
        ),
        (
            "reconciliation stock movements",
            ("inventory-nut@hamburg 1",),
            ("DELETE FROM silver.stock_movements WHERE product_id = 'nut' AND version = 1",),
        ),
        (
            "range gold.fact_stock_daily.value",
            ("inventory-nut@hamburg 20240107",),
            (
                "UPDATE gold.fact_stock_daily SET stock_value = 1 WHERE product_id = 'nut' AND date_key ="
                " (SELECT min(date_key) FROM gold.fact_stock_daily WHERE product_id = 'nut')",
            ),
        ),
        (
            "range gold.fact_stock_movement.lead time",
            ("inventory-nut@hamburg 1",),
            ("UPDATE gold.fact_stock_movement SET lead_days = -46017 WHERE product_id = 'nut' AND version = 1",),
        ),
        ("unique gold.dim_supplier current", ("acme", ""), ("UPDATE gold.dim_supplier SET is_current = false",)),
        (
            "reconciliation messages",
            ("orders/0/1",),
            ("INSERT INTO bronze.messages VALUES ('orders', 0, 1, 'k', 'm1', NULL, 'quarantined', now(), 'x')",),
        ),
    ],
)
def test_a_fault_is_caught_by_name_with_the_keys_that_offend(
    sound: Star, check: str, keys: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    assert check not in failed(sound)
    sound.execute(*faults)
    result = failed(sound)[check]
    assert result.keys == keys
    assert result.offending == len(keys)


def _moved(**years: int) -> list[Recorded]:
    """Return a log of a stock's receipts, on days one after the other from each date on, as many as it says."""
    story = Story()
    for start, count in years.items():
        for day in range(count):
            moment = datetime.strptime(start, "from_%Y_%m_%d").replace(tzinfo=UTC) + timedelta(days=day)
            story.tell(ReceiveStock(product_id="tea", location_id="hamburg", occurred_at=moment, quantity=1))
    return story.log


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (_moved(from_2026_01_01=20, from_1970_01_01=1), (21,)),
        (_moved(from_2026_01_01=20, from_2062_01_01=2), (21, 22)),
        (_moved(from_1970_01_01=1, from_2026_01_01=10, from_1996_07_04=1), (1, 12)),
        (_moved(from_1996_07_04=20), ()),
        (_moved(from_1996_07_04=5, from_2026_01_01=20), ()),
        (_moved(from_2026_01_01=20, from_2023_01_02=1), ()),
        (_moved(from_2026_01_01=20, from_2022_12_31=1), (21,)),
        (_moved(from_2026_01_01=20, from_2024_01_01=1, from_2022_01_01=1), ()),
        (_moved(from_2026_01_01=9, from_1970_01_01=1), ()),
        (_moved(from_1970_01_01=1), ()),
    ],
    ids=[
        "one in 1970",
        "two in 2062",
        "two apart from each other",
        "history that was loaded decades later",
        "two histories",
        "less than three years before",
        "more than three years before",
        "an old one, and one between",
        "too few to tell",
        "only one",
    ],
)
def test_few_movements_that_are_dated_years_from_all_others_are_a_warning(
    prepared: str, log: list[Recorded], found: tuple[int, ...]
) -> None:
    with star(prepared, log) as house:
        (result,) = [each for each in house.quality.run(CHECKS).results if each.name.endswith(".far off")]
    assert result.name == "range gold.fact_stock_movement.far off"
    assert result.severity is Severity.WARN
    assert result.offending == len(found)
    assert sorted(result.keys) == [f"inventory-tea@hamburg {version}" for version in found]


def test_of_earlier_runs_only_what_failed_is_kept(sound: Star) -> None:
    first, last = sound.quality.run(CHECKS), sound.quality.run(CHECKS)
    kept = sound.rows("SELECT run_id, name FROM quality.results")
    assert [name for run_id, name in kept if run_id == first.run_id] == [
        each.name for each in first.failures(Severity.WARN)
    ]
    assert len([name for run_id, name in kept if run_id == last.run_id]) == len(CHECKS)


def test_a_rebuild_that_is_interrupted_in_its_checks_has_said_that_it_is_swapped_in(
    told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(told))
    monkeypatch.setattr(PostgresQuality, "run", interrupted)
    with pytest.raises(click.Abort):
        rebuild.main(["--workers", "0"], standalone_mode=False)
    assert "swapped in" in capsys.readouterr().out
