"""Builds that are kept: the star as it was known at some time, listed, measured, compared and dropped."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.read_model import planning
from adapters.postgres.read_model.builds import PostgresBuilds
from adapters.postgres.read_model.recorded_time import known_at
from application.codec import UndecodableEventError
from application.ports.analytics import AnalyticsUnavailableError
from application.ports.builds import BuildExistsError, InvalidBuildNameError, InvalidMomentError, NoSuchBuildError
from application.ports.read_model import DependentObjectsError, RebuildRunningError, RowRefusedError
from application.projections.registry import SUBJECTS
from application.queries.figures import KpiTable, kpi_table
from application.queries.policies import Policy, Rule
from application.replay.difference import difference
from tests.independent_fold import NAMES, read_raw
from tests.independent_fold import figures as fold
from tests.integration.story import tell_everything
from tests.integration.test_read_model import received
from tests.integration.told import GOLD, MINUTE, NOON, follow, read_model, select, silent, tell

LOG = tell_everything()
HALF = len(LOG) // 2


@pytest.fixture
def builds(told: str, told_pool: ConnectionPool) -> PostgresBuilds:
    return PostgresBuilds(told, told_pool, SUBJECTS, GOLD)


def figures(builds: PostgresBuilds, name: str, *kpis: str) -> dict[str, Any]:
    _, analytics = builds.open(name)
    (row,) = kpi_table(analytics, kpis).rows
    return row.figures


def test_a_build_is_the_star_as_it_was_known_at_a_time(builds: PostgresBuilds, told: str) -> None:
    by_time = builds.make("by_time", NOON + (HALF + 0.5) * MINUTE, silent)

    assert (by_time.events, by_time.ahead, by_time.build.position, by_time.build.ready) == (HALF, 0, HALF, True)
    assert by_time.build.recorded_until == NOON + (HALF + 0.5) * MINUTE
    assert [each.name for each in builds.all()] == ["by_time"]
    assert builds.open("by_time")[1].position() == HALF
    log = read_raw(told)
    for name, prefix in (("by_time", log[:HALF]), ("live", log)):
        expected = fold(prefix)
        assert figures(builds, name, *NAMES) == {kpi: expected[kpi] for kpi in NAMES}, name


def test_a_build_up_to_the_end_equals_the_live_star_and_reads_nothing_of_it(builds: PostgresBuilds, told: str) -> None:
    assert builds.make("whole", len(LOG), silent).build.position == len(LOG)
    live = figures(builds, "live")
    assert figures(builds, "whole") == live
    found = difference(builds, "live", "whole")
    assert (found.moves, found.unmoved) == ((), len(live))
    select(told, "TRUNCATE gold.fact_order_line, gold.fact_order, gold.fact_shipment, gold.fact_stock_daily CASCADE")
    assert figures(builds, "live") != live
    assert figures(builds, "whole") == live


def test_events_of_a_clock_that_ran_ahead_count_where_others_followed_in_time(
    builds: PostgresBuilds, told: str
) -> None:
    tenth = select(told, "SELECT state FROM events.stored_events WHERE notification_id = 10")[0][0]
    ahead = tenth.replace(b"2026-01-01T12:10", b"2026-01-02T12:10").hex()
    select(told, f"UPDATE events.stored_events SET state = decode('{ahead}', 'hex') WHERE notification_id = 10")
    with psycopg.connect(told) as connection:
        found = [known_at(connection, NOON + minutes * MINUTE) for minutes in (9, 10, 11, 12.5, len(LOG), 24 * 60 + 10)]
    assert found == [(9, 0), (9, 0), (11, 1), (12, 1), (len(LOG), 1), (len(LOG), 0)]
    made = builds.make("twelve", NOON + 12 * MINUTE, silent)
    assert (made.build.position, made.events, made.ahead) == (12, 12, 1)


def test_an_event_that_does_not_say_when_it_was_recorded_is_named_as_the_reason(told: str) -> None:
    select(told, "UPDATE events.stored_events SET state = 'no JSON' WHERE notification_id = 30")
    with psycopg.connect(told) as connection, pytest.raises(InvalidMomentError, match="does not say when"):
        known_at(connection, NOON)


def test_an_event_without_a_recorded_time_is_not_passed_over(told: str) -> None:
    without = "convert_to((convert_from(state, 'UTF8')::jsonb #- '{meta,recorded_at}')::text, 'UTF8')"
    select(told, f"UPDATE events.stored_events SET state = {without} WHERE notification_id = {len(LOG)}")
    with psycopg.connect(told) as connection, pytest.raises(InvalidMomentError, match=f"at position {len(LOG)} does"):
        known_at(connection, NOON + 10 * MINUTE)
    select(told, f"UPDATE events.stored_events SET state = {without} WHERE notification_id = 5")
    select(told, f"DELETE FROM events.stored_events WHERE notification_id = {len(LOG)}")
    with psycopg.connect(told) as connection:
        assert known_at(connection, NOON + 10 * MINUTE) == (10, 0), "what lies before an event that was known was too"


def test_kept_builds_survive_rebuilds_and_are_dropped_by_name_alone(builds: PostgresBuilds, told: str) -> None:
    builds.make("q3_close", HALF, silent)
    before = figures(builds, "q3_close")
    with read_model(told) as model:
        assert model.rebuild(silent).swapped
        assert model.verify(silent).equal
    assert figures(builds, "q3_close") == before
    builds.drop("q3_close")
    schemas = select(told, "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%q3_close'")
    assert schemas == []
    assert "q3_close" not in [each.name for each in builds.all()]
    with pytest.raises(NoSuchBuildError, match="there is no build 'q3_close'; there are live"):
        builds.drop("q3_close")


def test_a_build_beside_which_somebody_made_a_table_is_not_dropped(builds: PostgresBuilds, told: str) -> None:
    builds.make("q3", HALF, silent)
    with psycopg.connect(told, autocommit=True) as connection:
        connection.execute("CREATE TABLE gold_q3.mine (one integer)")
        with pytest.raises(DependentObjectsError, match=r"tables of q3 .*: table gold_q3\.mine; drop them first"):
            builds.drop("q3")
        connection.execute("DROP TABLE gold_q3.mine")
    builds.drop("q3")


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_build_that_somebody_elses_view_reads_is_not_dropped(builds: PostgresBuilds, told: str, kind: str) -> None:
    builds.make("q3", HALF, silent)
    select(told, f"CREATE {kind} public.closing AS SELECT count(*) AS orders FROM gold_q3.fact_order")
    counted = select(told, "SELECT orders FROM public.closing")
    with pytest.raises(
        DependentObjectsError, match=r"tables of q3 .*: .* public.closing \(on gold_q3.fact_order\); drop them first"
    ):
        builds.drop("q3")
    assert [each.name for each in builds.all()] == ["q3"]
    assert select(told, "SELECT orders FROM public.closing") == counted
    select(told, f"DROP {kind} public.closing")
    builds.drop("q3")
    assert builds.all() == []


@pytest.mark.parametrize("name", ["live", "old", "build_0123abcd", "Q3", "3q", "q-3", "a" * 41, "", 'a"; DROP'])
def test_a_name_that_schemas_can_not_have_is_refused(name: str) -> None:
    pool = ConnectionPool("", open=False)
    builds = PostgresBuilds("", pool, SUBJECTS, GOLD)
    with pytest.raises(InvalidBuildNameError, match="can't name a build"):
        builds.make(name, 1, silent)


def test_no_name_is_reserved_that_the_platform_does_not_use(builds: PostgresBuilds) -> None:
    assert builds.make("parting", HALF, silent).build.name == "parting"


MOMENTS: list[tuple[datetime | int, str]] = [
    (0, "position 0 is not in the log"),
    (len(LOG) + 1, f"which ends at {len(LOG)}"),
    (NOON, "nothing was recorded by 2026-01-01T12:00"),
    (datetime(2999, 1, 1, tzinfo=UTC), "lies ahead"),
]


def test_a_moment_outside_the_log_is_refused(builds: PostgresBuilds) -> None:
    for as_of, reason in MOMENTS:
        with pytest.raises(InvalidMomentError, match=reason):
            builds.make("outside", as_of, silent)
    assert builds.all() == []


def test_a_build_that_was_killed_is_gone_on_with_or_made_anew(
    builds: PostgresBuilds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(phase: str, *_: object) -> None:
        if phase not in {"plan", "fold"}:
            raise KeyboardInterrupt

    for as_of in (HALF, HALF, HALF + 2):
        with pytest.raises(KeyboardInterrupt):
            builds.make("q3", as_of, die)
        with pytest.raises(NoSuchBuildError, match="never completed"):
            builds.open("q3")
    assert builds.make("q3", HALF + 2, silent).events == HALF + 2
    monkeypatch.setattr(planning, "version_of", lambda _: "another")
    with pytest.raises(BuildExistsError, match="there is a build 'q3' already"):
        builds.make("q3", HALF + 2, silent)


def test_a_build_that_failed_fails_again_until_its_event_can_be_decoded(builds: PostgresBuilds, told: str) -> None:
    select(told, "UPDATE events.stored_events SET topic = 'Unheard.v1' WHERE notification_id = 5")
    for workers in (0, 0, 2):
        with pytest.raises(UndecodableEventError, match="at position 5"):
            builds.make("q3", HALF, silent, workers=workers)
        with pytest.raises(NoSuchBuildError, match="never completed"):
            builds.open("q3")
    original = LOG[4].event.TOPIC
    select(told, f"UPDATE events.stored_events SET topic = '{original}' WHERE notification_id = 5")
    assert builds.make("q3", HALF, silent).events == HALF


def test_a_row_that_gold_refuses_fails_a_build_and_a_rebuild_and_the_build_can_be_dropped(
    builds: PostgresBuilds, told: str
) -> None:
    position = next(n for n, each in enumerate(LOG, 1) if type(each.event).__name__ == "OrderLineReturned")
    returned = "regexp_replace(convert_from(state, 'UTF8'), '\"returned\":[0-9]+', '\"returned\":900')"
    changed = f"UPDATE events.stored_events SET state = convert_to({returned}, 'UTF8')"
    select(told, f"{changed} WHERE notification_id = {position} RETURNING convert_from(state, 'UTF8')")
    refused = rf"gold.fact_order\w* refuses a row: check .*is violated.*of order-o2, from its events .*to {position}"
    for workers in (0, 2):
        with pytest.raises(RowRefusedError, match=refused):
            builds.make("q3", position, silent, workers=workers)
    builds.drop("q3")
    with read_model(told) as model, pytest.raises(RowRefusedError, match=r"gold.fact_order\w* refuses a row"):
        model.rebuild(silent)
    schemas = select(told, "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(silver|gold)' ORDER BY 1")
    assert schemas == [("gold",), ("silver",)]


def test_schemas_of_somebody_else_are_left_alone(builds: PostgresBuilds, told: str) -> None:
    select(told, "CREATE SCHEMA silver_mine")
    with pytest.raises(BuildExistsError, match='"silver_mine" already exists, and is of no build'):
        builds.make("mine", HALF, silent)
    assert builds.all() == []


def test_figures_that_a_role_may_not_read_name_the_right_that_is_missing(told: str) -> None:
    (reader,) = select(told, "SELECT 'reader_of_' || current_database()")[0]
    select(told, f"CREATE ROLE {reader} LOGIN; GRANT USAGE ON SCHEMA events TO {reader}")
    with ConnectionPool(f"{told} user={reader}", min_size=1, max_size=1) as pool:
        star = PostgresAnalytics(pool)
        with pytest.raises(AnalyticsUnavailableError, match="for schema gold: the role needs USAGE on it"):
            kpi_table(star, ["orders"])
        select(told, f"GRANT USAGE ON SCHEMA gold TO {reader}")
        with pytest.raises(AnalyticsUnavailableError, match="for table fact_order: the role needs SELECT on it"):
            kpi_table(star, ["orders"])


def test_a_build_of_another_version_says_so(builds: PostgresBuilds, told: str) -> None:
    builds.make("q3", HALF, silent)
    select(told, "ALTER TABLE gold_q3.fact_order_line DROP COLUMN freight CASCADE")
    _, star = builds.open("q3")
    with pytest.raises(AnalyticsUnavailableError, match=r"gold_q3 was made by another version: .*freight"):
        kpi_table(star, ["freight"])


@pytest.mark.parametrize(
    "lost", ["DROP TABLE gold.dim_carrier CASCADE", "ALTER TABLE gold.fact_order DROP carrier_id CASCADE"]
)
def test_gold_of_another_version_says_so_and_what_to_do(
    told: str, told_pool: ConnectionPool, lost: LiteralString
) -> None:
    with psycopg.connect(told, autocommit=True) as connection:
        connection.execute(lost)
    said = r"gold was made by another version: .*carrier.*; `dataflow rebuild --accept-changes`"
    with pytest.raises(AnalyticsUnavailableError, match=said):
        kpi_table(PostgresAnalytics(told_pool), ["orders"], by="carrier")


def test_a_build_whose_tables_somebody_dropped_says_so(builds: PostgresBuilds, told: str) -> None:
    builds.make("gone", HALF, silent)
    select(told, "DROP SCHEMA gold_gone CASCADE")
    with pytest.raises(AnalyticsUnavailableError, match="there are no tables in gold_gone: make that build again"):
        figures(builds, "gone", "orders")
    builds.drop("gone")
    assert builds.make("gone", HALF, silent).build.ready


def test_what_was_left_of_a_build_is_made_anew_where_somebody_dropped_its_tables(
    builds: PostgresBuilds, told: str
) -> None:
    builds.plan("left", HALF, 2)
    select(told, "DROP SCHEMA silver_left CASCADE")
    assert builds.make("left", HALF, silent).events == HALF


def test_one_build_at_a_time(builds: PostgresBuilds) -> None:
    refused: list[str] = []

    def again(*_: object) -> None:
        if not refused:
            with pytest.raises(RebuildRunningError):
                builds.make("other", 1, silent)
            refused.append("other")

    builds.make("first", HALF, again)
    assert refused == ["other"]


def test_the_difference_names_the_kpis_that_moved_with_their_rows_and_events(builds: PostgresBuilds) -> None:
    returned = next(n for n, each in enumerate(LOG, 1) if type(each.event).__name__ == "OrderLineReturned")
    builds.make("before", returned - 1, silent)
    builds.make("after", returned, silent)

    found = difference(builds, "before", "after")

    moves = {move.kpi.name: move for move in found.moves}
    assert {"units_returned", "return_rate"} <= moves.keys()
    assert not {"orders", "net", "units_delivered", "stock_units", "shipments"} & moves.keys()
    units = moves["units_returned"]
    assert (units.first, units.second, units.change) == (0, 1, 1)
    assert isinstance(units.change, int), "a whole number, as the figures are"
    assert (moves["return_rate"].first, moves["return_rate"].change) == (0, moves["return_rate"].second)
    for move in (units, moves["return_rate"]):
        assert (move.behind.rows, move.behind.topics) == (1, (("OrderLineReturned.v1", 1),))
        (row,) = move.behind.differences
        assert (row.key["stream_id"], row.key["line_no"]) == ("order-o2", 1)
        assert [(event.position, event.topic) for event in row.events] == [(returned, "OrderLineReturned.v1")]
    back = {move.kpi.name: move for move in difference(builds, "after", "before", ["units_returned"]).moves}
    assert (back["units_returned"].change, back["units_returned"].behind.rows) == (-1, 1)


def test_a_kpi_that_one_of_two_builds_has_no_figure_of_moved_by_no_amount(builds: PostgresBuilds) -> None:
    shipped = next(n for n, each in enumerate(LOG, 1) if type(each.event).__name__ == "OrderLineShipped")
    builds.make("nothing", shipped - 1, silent)
    builds.make("all", len(LOG), silent)
    for pair in (("nothing", "all"), ("all", "nothing")):
        (move,) = difference(builds, *pair, ["return_rate"]).moves
        figures = dict(zip(pair, (move.first, move.second), strict=True))
        assert (figures["nothing"], figures["all"] is None, move.change) == (None, False, None)


def test_rows_behind_a_kpi_over_some_rows_of_a_fact_are_of_those_alone(builds: PostgresBuilds, told: str) -> None:
    builds.make("first", 1, silent)
    (move,) = difference(builds, "first", "live", ["units_received"]).moves
    received = "SELECT count(*), sum(delta_on_hand) FROM gold.fact_stock_movement WHERE kind = 'received'"
    assert [(move.behind.rows, move.second)] == select(told, received)
    assert {row.rebuilt["kind"] for row in move.behind.differences if row.rebuilt} == {"received"}


@pytest.mark.parametrize("order", [("first", "live"), ("live", "first")])
def test_the_difference_to_live_is_that_of_one_moment_while_the_follower_goes_on(
    builds: PostgresBuilds, told: str, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    def measured_while_more_comes(*args: Any, **more: Any) -> KpiTable:
        tell(told, [received(f"new {next(numbers)}", 7)])
        follow(told)
        table = kpi_table(*args, **more)
        tell(told, [received(f"new {next(numbers)}", 7)])
        follow(told)
        return table

    numbers = count()
    builds.make("first", 1, silent)
    monkeypatch.setattr("application.replay.difference.kpi_table", measured_while_more_comes)
    found = difference(builds, *order, ["units_received"])
    (move,) = found.moves
    then = max(found.first.position, found.second.position)
    rows = "SELECT count(*), sum(delta_on_hand) FROM gold.fact_stock_movement WHERE kind = 'received'"
    assert [(move.behind.rows, max(move.first or 0, move.second or 0))] == select(
        told, f"{rows} AND last_position <= {then}"
    )
    assert select(told, rows) != select(told, f"{rows} AND last_position <= {then}")


def test_the_difference_to_live_counts_rows_that_came_and_stock_on_its_last_day(
    builds: PostgresBuilds, told: str
) -> None:
    builds.make("early", HALF, silent)
    found = difference(builds, "early", "live", ["orders", "stock_units", "net"], limit=2)
    moves = {move.kpi.name: move for move in found.moves}
    for name, move in moves.items():
        assert move.change == Decimal(move.second or 0) - Decimal(move.first or 0), name
        assert move.behind.rows >= len(move.behind.differences)
        assert len(move.behind.differences) <= 2
    live_stock = select(told, "SELECT sum(on_hand) FROM silver.stock")[0][0]
    assert moves["stock_units"].second == live_stock
    for row in moves["stock_units"].behind.differences:
        assert "date_key" not in row.key
        assert all(HALF < event.position <= len(LOG) for event in row.events)


def test_kpis_move_by_the_policy_that_they_are_measured_by(builds: PostgresBuilds) -> None:
    # Of o1, requested for the 20th, line 2 left on the 21st and arrived on the 25th, after the second build.
    delivered = max(n for n, each in enumerate(LOG, 1) if each.stream_id == "order-o1")
    builds.make("before", delivered - 1, silent)
    builds.make("after", delivered, silent)
    moved = {}
    for policy in (Policy("default", 1, Rule()), Policy("default", 2, Rule(basis="delivered", grain="line"))):
        found = difference(builds, "before", "after", ["orders_late", "orders"], policy=policy)
        assert found.report()["policy"] == policy.label
        moved[policy.label] = [(move.kpi.name, move.first, move.second, move.behind.rows) for move in found.moves]
        for name, kept in (("before", 0), ("after", 1)):
            (row,) = kpi_table(builds.open(name)[1], ["orders_late"], policies=[policy]).rows
            assert row.figures["orders_late"] == (1 if policy.version == 1 else kept)
    assert moved == {"default@1": [], "default@2": [("orders_late", 0, 1, 1)]}


def test_rows_that_a_revised_product_changed_name_its_event(builds: PostgresBuilds) -> None:
    revised = next(n for n, each in enumerate(LOG, 1) if type(each.event).__name__ == "ProductRevised")
    builds.make("before", revised - 1, silent)
    builds.make("after", revised, silent)
    moves = difference(builds, "before", "after").moves
    assert moves
    for move in moves:
        assert move.behind.topics == (("ProductRevised.v1", 1),), move.kpi.name
        for row in move.behind.differences:
            assert [(event.position, event.topic) for event in row.events] == [(revised, "ProductRevised.v1")]


def test_rows_of_the_denominator_move_a_quotient_too(builds: PostgresBuilds, told: str) -> None:
    builds.make("early", HALF, silent)
    (move,) = difference(builds, "early", "live", ["inventory_turns"]).moves
    read = "shipped, unit_value, stock_value"
    differing = (
        f"SELECT count(*), count(*) FILTER (WHERE r.shipped = 0 AND l.shipped IS NULL)"
        f" FROM (SELECT stream_id, date_key, {read} FROM gold_early.fact_stock_daily) l"
        f" FULL JOIN (SELECT stream_id, date_key, {read} FROM gold.fact_stock_daily) r USING (stream_id, date_key)"
        f" WHERE l.unit_value IS DISTINCT FROM r.unit_value OR l.shipped IS DISTINCT FROM r.shipped"
        f" OR l.stock_value IS DISTINCT FROM r.stock_value"
    )
    ((rows, of_denominator),) = select(told, differing)
    assert move.behind.rows == rows > of_denominator > 0


def test_an_unknown_build_is_a_mistake_that_names_those_there_are(builds: PostgresBuilds) -> None:
    with pytest.raises(NoSuchBuildError, match="no build 'q4'; there are live"):
        difference(builds, "live", "q4")


def test_rows_of_orders_name_the_events_of_the_products_of_their_lines(builds: PostgresBuilds, told: str) -> None:
    returned = next(n for n, each in enumerate(LOG, 1) if type(each.event).__name__ == "OrderLineReturned")
    builds.make("before", returned - 1, silent)
    between = f"notification_id >= {returned} AND originator_id = 'product-' || product_id"
    products = (
        "SELECT stream_id, array_agg(DISTINCT notification_id), array_agg(DISTINCT topic)"
        f" FROM gold.fact_order_line JOIN events.stored_events ON {between} GROUP BY 1"
    )
    expected = {stream: (set(positions), set(topics)) for stream, positions, topics in select(told, products)}
    named = set()
    for move in difference(builds, "before", "live", limit=50).moves:
        for row in move.behind.differences:
            if move.kpi.fact.name == "fact_order" and row.live and row.key["stream_id"] in expected:
                positions, topics = expected[row.key["stream_id"]]
                assert positions <= {event.position for event in row.events}, move.kpi.name
                assert topics <= dict(move.behind.topics).keys(), move.kpi.name
                named.add(row.key["stream_id"])
    assert named
