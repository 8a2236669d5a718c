"""Stories worked out by hand hold live, after a rebuild, and in whatever order the messages of streams come."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import psycopg
import pytest

from adapters.postgres.server import EmbeddedPostgres
from application.codec import Recorded
from application.ports.analytics import Period
from application.ports.quality import QualityRun
from application.projections.catalog import surrogate_key
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from application.queries.figures import kpi_table
from domain.catalog.commands import RegisterCarrier, ReviseCarrier
from domain.order.commands import DeliverOrderLines, LineQuantity, OrderedLine, PlaceOrder, ShipOrderLines
from tests.integration.scenarios import LATE_DIMENSION, SCENARIOS, Scenario
from tests.integration.star import Star, star
from tests.integration.story import Story, at, on

ORDERS = ("as told", "streams backwards", "catalog last", "shuffled 1", "shuffled 2")


def told() -> list[Recorded]:
    story = Story()
    for scenario in SCENARIOS:
        story.tell(*scenario.commands)
    return story.log


def streams_of(log: list[Recorded]) -> list[list[Recorded]]:
    streams: dict[str, list[Recorded]] = {}
    for recorded in log:
        streams.setdefault(recorded.stream_id, []).append(recorded)
    return list(streams.values())


def in_order(name: str) -> list[Recorded]:
    """Return the log with its streams in another order; each stream keeps its own."""
    log = told()
    if name == "as told":
        return log
    streams = streams_of(log)
    if name == "streams backwards":
        return [recorded for stream in reversed(streams) for recorded in stream]
    if name == "catalog last":
        catalog = ("product-", "supplier-", "customer-", "carrier-", "location-")
        return sorted(log, key=lambda recorded: recorded.stream_id.startswith(catalog))
    chance = Random(name)  # noqa: S311 - reproducible on purpose
    turns = [number for number, stream in enumerate(streams) for _ in stream]
    chance.shuffle(turns)
    waiting = [iter(stream) for stream in streams]
    return [next(waiting[number]) for number in turns]


@pytest.fixture(scope="module", params=ORDERS)
def house(request: pytest.FixtureRequest, postgres: EmbeddedPostgres, _prepared: str) -> Iterator[Star]:
    """The star of all stories, followed live in small batches."""
    name = f"stories_{ORDERS.index(request.param)}"
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_prepared}".encode())
    with star(postgres.conninfo(name), in_order(request.param), batch_size=5) as opened:
        yield opened
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.name for each in SCENARIOS])
def test_a_story_gives_the_rows_worked_out_by_hand(house: Star, scenario: Scenario) -> None:
    for query, rows in scenario.expected.items():
        assert house.rows(query) == rows


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.name for each in SCENARIOS])
def test_a_story_gives_the_figures_worked_out_by_hand(house: Star, scenario: Scenario) -> None:
    products, expected, days = scenario.figures
    period = Period(*map(on, days)) if days else None
    table = kpi_table(house.analytics, list(expected), members={"product": products}, period=period)
    assert table.rows[0].figures == expected


def test_a_rebuild_gives_the_same_star(house: Star) -> None:
    assert house.differences() == []


def test_layers_reconcile(house: Star) -> None:
    run: QualityRun = house.quality.run(CHECKS)
    assert run.failures(Severity.ERROR) == ()


def test_a_late_dimension_completes_the_inferred_row_and_keeps_its_key(prepared: str) -> None:
    story = Story()
    fact, *catalog = LATE_DIMENSION.commands
    story.tell(fact)
    key = surrogate_key("product-tin", at("03-01"), 1)
    query = "SELECT product_key, name, version, inferred, unit_price FROM dim_product WHERE product_id = 'tin'"
    with star(prepared, story.log) as house:
        assert house.rows(query) == [(key, "tin", 0, True, None)]
        assert house.rows("SELECT product_key FROM fact_order_line") == [(key,)]
        known = len(story.log)
        story.tell(*catalog)
        house.append(story.log[known:])
        house.follow()
        assert house.rows(query.replace("unit_price", "unit_price::text")) == [(key, "Tin", 1, False, "5.00")]
        assert house.rows("SELECT product_key FROM fact_order_line") == [(key,)]
        assert house.differences() == []


def test_a_carrier_revised_back_in_time_reaches_what_was_shipped_before_it_was_ordered(prepared: str) -> None:
    story = Story()
    story.tell(
        RegisterCarrier(carrier_id="dhl", occurred_at=at("01-01"), name="DHL"),
        ReviseCarrier(carrier_id="dhl", occurred_at=at("01-20"), name="DHL of today"),
        PlaceOrder(
            order_id="o1",
            occurred_at=at("01-21"),
            customer_id="c1",
            currency="EUR",
            lines=(OrderedLine(line_no=1, product_id="tea", quantity=10, unit_price=Decimal(10)),),
        ),
        ShipOrderLines(
            order_id="o1",
            occurred_at=at("01-10"),
            lines=(LineQuantity(line_no=1, quantity=10),),
            carrier_id="dhl",
        ),
    )
    with star(prepared, story.log) as stars:
        before = len(story.log)
        story.tell(ReviseCarrier(carrier_id="dhl", occurred_at=at("01-05"), name="DHL of January"))
        stars.append(story.log[before:])
        stars.follow()
        shipped_by = "SELECT c.name FROM fact_order_line f JOIN dim_carrier c ON c.carrier_key = f.shipping_carrier_key"
        assert stars.rows(shipped_by) == [("DHL of January",)]
        assert stars.differences() == []


def test_an_order_of_which_a_part_came_in_time_has_not_kept_its_promise(prepared: str) -> None:
    story = Story()
    for order_id, delivered in (("whole", 10), ("part", 1)):
        line = OrderedLine(line_no=1, product_id="tea", quantity=10, unit_price=Decimal(10))
        units = (LineQuantity(line_no=1, quantity=delivered),)
        story.tell(
            PlaceOrder(
                order_id=order_id,
                occurred_at=at("01-10"),
                customer_id="c1",
                currency="EUR",
                lines=(line,),
                promised_date=on("01-20"),
            ),
            ShipOrderLines(order_id=order_id, occurred_at=at("01-12"), lines=units),
            DeliverOrderLines(order_id=order_id, occurred_at=at("01-15"), lines=units),
        )
    with star(prepared, story.log) as stars:
        (row,) = kpi_table(stars.analytics, ["on_time_original_rate", "on_time_revised_rate"]).rows
        assert row.figures == {"on_time_original_rate": Decimal("0.5"), "on_time_revised_rate": Decimal("0.5")}
