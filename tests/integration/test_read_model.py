"""The read models on a real PostgreSQL, with a small subject and small gold files of their own."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
import pytest

from adapters.postgres.errors import RefusedByDatabaseError
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.read_model import PostgresReadModel, log, rebuild, swap
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.schemas import LIVE
from adapters.postgres.read_model.session import connect
from application.codec import Metadata, Recorded, UndecodableEventError, encode
from application.ports.event_store import Batch, NewEvent
from application.ports.read_model import (
    CheckpointMovedError,
    DependentObjectsError,
    OtherVersionError,
    ReadersInTheWayError,
    ReadModelUnavailableError,
    RebuildRunningError,
    RowRefusedError,
    SchemaInTheWayError,
)
from application.projections.subject import Rows, Subject
from application.projections.table import Table
from application.replay.folding import decode_prefix
from application.replay.follower import Follower
from domain.inventory.events import StockAdjusted, StockReceived
from tests.acceptance.home import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
META = Metadata(NOON, "message", "message", "test")
GOLD = {
    "fact_stock": """\
-- comment: One row per stock with its value.
-- key: stream_id
-- scope: product_id
-- touched by stock: SELECT product_id FROM stock WHERE stream_id = ANY(%(ids)s)
-- index: product_id
SELECT s.stream_id, s.product_id, s.on_hand, s.on_hand * s.unit_cost AS value, s.moved_at::date AS moved_on,
       (SELECT count(*) FROM movements m WHERE m.stream_id = s.stream_id) AS movements
FROM stock s
""",
    "fact_daily": """\
-- comment: One row per stock and day, to the last day on which anything moved.
-- key: stream_id, day
-- scope: stream_id
-- touched by stock: SELECT unnest(%(ids)s::text[])
-- grows by: day
-- grows to: SELECT max(day) FROM movements
SELECT s.stream_id, d::date AS day, s.on_hand
FROM stock s
CROSS JOIN LATERAL generate_series(s.moved_at::date, (SELECT max(day) FROM movements), interval '1 day') AS d;
""",
    "fact_day": """\
-- comment: One row per day with the stocks that moved last on it.
-- key: day
-- scope: day
-- touched by stock: SELECT moved_at::date::text FROM stock WHERE stream_id = ANY(%(ids)s)
SELECT moved_at::date::text AS day, count(*) AS stocks FROM stock GROUP BY 1
""",
    "kpi_policy": "-- comment: A constant.\n-- key: name\nSELECT 'late'::text AS name, 2 AS days",
}


@dataclass(slots=True)
class StockRow:
    """One row per stock."""

    stream_id: str
    product_id: str
    on_hand: int
    unit_cost: Decimal | None
    moved_at: datetime
    first_position: int
    last_position: int


@dataclass(slots=True)
class MovementRow:
    """One row per movement."""

    stream_id: str
    version: int
    delta: int
    counted: bool
    weight: float
    day: date
    first_position: int
    last_position: int


@dataclass(slots=True)
class View:
    stock: StockRow
    added: list[MovementRow] = field(default_factory=list)


def fold(view: View | None, recorded: Recorded) -> View:
    event, at = recorded.event, recorded.position
    if view is None:
        view = View(StockRow(recorded.stream_id, event.product_id, 0, event.unit_cost, event.occurred_at, at, at))
    delta = event.on_hand - view.stock.on_hand
    view.stock.on_hand, view.stock.moved_at, view.stock.last_position = event.on_hand, event.occurred_at, at
    day = event.occurred_at.date()
    view.added.append(MovementRow(recorded.stream_id, recorded.version, delta, delta < 0, delta / 3, day, at, at))
    return view


def load(rows: Rows) -> View:
    return View(rows["stock"][0])


def rows_of(view: View) -> Mapping[str, Iterable[Any]]:
    return {"stock": [view.stock], "movements": view.added}


SUBJECT = Subject(
    "stock",
    "inventory-",
    (
        Table("stock", StockRow, ("stream_id",)),
        Table("movements", MovementRow, ("stream_id", "version"), append_only=True),
    ),
    fold,
    load,
    rows_of,
)


def received(product: str, quantity: int) -> NewEvent:
    event = StockReceived(
        occurred_at=NOON,
        product_id=product,
        location_id="berlin",
        quantity=quantity,
        supplier_id=None,
        unit_cost=Decimal("2.50"),
        ordered_at=None,
        on_hand=quantity,
        reserved=0,
        quarantined=0,
    )
    return NewEvent(f"inventory-{product}@berlin", 1, event.TOPIC, encode(event, META))


def adjusted(product: str, version: int, on_hand: int) -> NewEvent:
    event = StockAdjusted(
        occurred_at=NOON + timedelta(days=version),
        product_id=product,
        location_id="berlin",
        delta=-1,
        reason="lost",
        on_hand=on_hand,
        reserved=0,
        quarantined=0,
    )
    return NewEvent(f"inventory-{product}@berlin", version, event.TOPIC, encode(event, META))


class House:
    """An event store and read models on one database."""

    def __init__(self, conninfo: str, gold: Path) -> None:
        self.conninfo = conninfo
        self.gold = gold
        self.store = PostgresEventStore(conninfo, pool_size=1)
        self.read_models: list[PostgresReadModel] = []
        self.read_model = self.another_read_model()
        self.read_model.create()
        self.sql = psycopg.connect(conninfo, autocommit=True)
        self.phases: list[tuple[str, int, int]] = []

    @classmethod
    def in_folder(cls, conninfo: str, folder: Path) -> Self:
        """Return a house whose gold is defined in a folder, where it may be changed."""
        for name, text in GOLD.items():
            (folder / f"{name}.sql").write_text(text)
        return cls(conninfo, folder)

    @classmethod
    def of_two_products(cls, conninfo: str, folder: Path) -> Self:
        """Return one in a folder whose read models are at the end of a log of two products."""
        house = cls.in_folder(conninfo, folder)
        house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9))
        house.follow()
        return house

    def another_read_model(self) -> PostgresReadModel:
        self.read_models.append(PostgresReadModel(self.conninfo, [SUBJECT], self.gold))
        return self.read_models[-1]

    def append(self, *events: NewEvent) -> None:
        self.store.append(Batch(events=events))

    def follow(self, batch_size: int = 3) -> int:
        return Follower(self.store, self.read_model, batch_size).run()

    def progress(self, phase: str, done: int, total: int) -> None:
        self.phases.append((phase, done, total))

    def query(self, query: str) -> list[tuple[Any, ...]]:
        return self.sql.execute(query.encode()).fetchall()

    def facts(self) -> list[tuple[Any, ...]]:
        return self.query("SELECT product_id, on_hand, value, movements FROM gold.fact_stock ORDER BY 1")

    def schemas(self) -> list[str]:
        pattern = "nspname LIKE 'silver%' OR nspname LIKE 'gold%'"
        return [name for (name,) in self.query(f"SELECT nspname FROM pg_namespace WHERE {pattern} ORDER BY 1")]

    def close(self) -> None:
        self.sql.close()
        for read_model in self.read_models:
            read_model.close()
        self.store.close()


@pytest.fixture
def house(conninfo: str, tmp_path: Path) -> Iterator[House]:
    house = House.in_folder(conninfo, tmp_path)
    yield house
    house.close()


@pytest.fixture
def stocked(house: House) -> House:
    """A house whose read models are at the end of a log of two products."""
    house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9), adjusted("bolt", 3, 8))
    house.follow()
    return house


LIVE_AND_OLD = ["gold", "gold_old", "silver", "silver_old"]
STOCKED = [("bolt", 8, Decimal("20.00"), 3), ("nut", 7, Decimal("17.50"), 1)]


def test_the_follower_brings_silver_gold_and_checkpoint_to_the_end_of_the_log(house: House) -> None:
    house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9), adjusted("bolt", 3, 8))
    reports: list[tuple[int, int]] = []

    applied = Follower(house.store, house.read_model, 3).run(lambda *report: reports.append(report))

    assert applied == 4
    assert house.facts() == STOCKED
    daily = house.query("SELECT stream_id, extract(day FROM day)::int, on_hand FROM gold.fact_daily ORDER BY 1, 2")
    nut = "inventory-nut@berlin"
    assert daily == [("inventory-bolt@berlin", 4, 8), (nut, 1, 7), (nut, 2, 7), (nut, 3, 7), (nut, 4, 7)]
    assert house.query("SELECT name, days FROM gold.kpi_policy") == [("late", 2)]
    assert house.read_model.position() == house.store.head() == house.store.checkpoint("analytics")
    assert reports == [(3, 4), (4, 4)]


def test_a_scope_that_a_stream_leaves_is_selected_again_too(house: House) -> None:
    house.append(received("bolt", 10), received("nut", 7))
    house.follow()
    assert house.query("SELECT day, stocks FROM gold.fact_day") == [("2026-01-01", 2)]
    house.append(adjusted("bolt", 2, 9))
    house.follow()
    assert house.query("SELECT day, stocks FROM gold.fact_day ORDER BY 1") == [
        ("2026-01-01", 1),
        ("2026-01-03", 1),
    ]
    house.append(adjusted("nut", 2, 6))
    house.follow()
    assert house.query("SELECT day, stocks FROM gold.fact_day") == [("2026-01-03", 2)]


def test_of_rows_that_are_selected_again_only_those_that_differ_are_written(stocked: House) -> None:
    bolts_elsewhere = received("bolt", 7)._replace(stream_id="inventory-bolt@paris")
    stocked.append(bolts_elsewhere)
    stocked.follow()
    written = "SELECT xmin::text FROM gold.fact_stock WHERE stream_id = 'inventory-bolt@paris'"
    before = stocked.query(written)
    stocked.append(adjusted("bolt", 4, 6))
    stocked.follow()
    assert stocked.query(written) == before
    # An equal number of another scale has other bytes, and a rebuild gives the scale of the view.
    stocked.query("UPDATE gold.fact_stock SET value = 17.5 WHERE stream_id = 'inventory-bolt@paris' RETURNING 1")
    stocked.append(adjusted("bolt", 5, 5))
    stocked.follow()
    values = stocked.query("SELECT stream_id, value::text FROM gold.fact_stock WHERE product_id = 'bolt' ORDER BY 1")
    assert values == [("inventory-bolt@berlin", "12.50"), ("inventory-bolt@paris", "17.50")]


def test_a_select_that_gives_a_key_twice_is_named_and_nothing_is_applied(conninfo: str, tmp_path: Path) -> None:
    twice = "SELECT stream_id, 1 AS n FROM stock UNION ALL SELECT stream_id, 2 AS n FROM stock WHERE on_hand < 9"
    header, _ = GOLD["fact_stock"].split("-- index")
    (tmp_path / "fact_stock.sql").write_text(header.replace("product_id", "stream_id") + twice)
    house = House(conninfo, tmp_path)
    house.append(received("bolt", 10))
    house.follow()
    house.append(adjusted("bolt", 2, 9))
    house.follow()
    house.append(adjusted("bolt", 3, 8))
    said = "the key inventory-bolt@berlin; in the gold definition fact_stock.sql"
    with pytest.raises(RowRefusedError, match=said):
        house.follow()
    assert house.read_model.position() == 2
    house.close()


@pytest.mark.parametrize(("table", "column"), [("stock", "moved_at TO came_at"), ("movements", "counted TO checked")])
def test_tables_of_another_version_are_said_with_what_to_do(
    stocked: House, table: LiteralString, column: LiteralString
) -> None:
    with psycopg.connect(stocked.conninfo, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE silver.{table} RENAME COLUMN {column}")
    stocked.append(adjusted("bolt", 4, 6))
    with pytest.raises(OtherVersionError, match=r"column .*`dataflow rebuild --accept-changes`"):
        stocked.follow()
    assert stocked.read_model.position() == 4


def test_silver_columns_follow_the_row_class(house: House) -> None:
    columns = house.query(
        "SELECT column_name, data_type, is_nullable, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'silver' AND table_name IN ('stock', 'movements') ORDER BY 1"
    )
    assert ("stream_id", "text", "NO", "C") in columns
    assert ("unit_cost", "numeric", "YES", None) in columns
    assert ("moved_at", "timestamp with time zone", "NO", None) in columns
    assert ("counted", "boolean", "NO", None) in columns
    assert ("weight", "double precision", "NO", None) in columns
    assert ("day", "date", "NO", None) in columns
    assert house.query("SELECT obj_description('silver.stock'::regclass)") == [("One row per stock.",)]
    assert house.query("SELECT obj_description('gold.kpi_policy'::regclass)") == [("A constant.",)]


def test_events_delivered_again_are_refused_and_nothing_is_doubled(stocked: House) -> None:
    events, _ = decode_prefix(stocked.store.read(0, 10))
    with pytest.raises(CheckpointMovedError, match="stand at position 4, not 0"):
        stocked.read_model.apply(events, 0)
    assert stocked.facts() == STOCKED


def test_of_two_followers_at_once_one_applies_and_the_other_is_refused(house: House) -> None:
    house.append(received("bolt", 10), adjusted("bolt", 2, 9))
    events, _ = decode_prefix(house.store.read(0, 10))
    start, refused = threading.Barrier(2), []

    def follow() -> None:
        read_model = house.another_read_model()
        start.wait()
        try:
            read_model.apply(events, 0)
        except CheckpointMovedError as error:
            refused.append(error)

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert house.facts() == [("bolt", 9, Decimal("22.50"), 2)]


def test_a_follower_that_dies_before_the_commit_leaves_nothing_and_the_next_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.append(received("bolt", 10))
    apply = Build.apply

    def die(*arguments: Any, **options: Any) -> None:
        apply(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Build, "apply", die)
        with pytest.raises(KeyboardInterrupt):
            house.follow()
    assert (house.facts(), house.read_model.position()) == ([], 0)

    house.follow()
    assert house.facts() == [("bolt", 10, Decimal("25.00"), 1)]


def test_an_event_that_can_not_be_decoded_stops_the_follower_after_the_events_before_it(house: House) -> None:
    house.append(received("bolt", 10), NewEvent("inventory-bad", 1, "Unheard.v1", b"{}"), received("nut", 7))
    for _ in range(2):
        with pytest.raises(UndecodableEventError, match=r"inventory-bad:1 \(Unheard.v1\) at position 2"):
            house.follow()
    assert house.facts() == [("bolt", 10, Decimal("25.00"), 1)]
    assert house.read_model.position() == 1


def test_an_event_that_can_not_be_decoded_stops_the_rebuild_and_leaves_the_live_tables(
    stocked: House,
) -> None:
    stocked.sql.execute("UPDATE events.stored_events SET state = '{}' WHERE notification_id = 2")
    with pytest.raises(UndecodableEventError, match="inventory-nut@berlin:1"):
        stocked.read_model.rebuild(stocked.progress)
    assert stocked.facts() == STOCKED
    assert stocked.schemas() == ["gold", "silver"]


def test_an_error_of_a_fold_names_the_event(house: House) -> None:
    house.append(adjusted("bolt", 1, 5))
    with pytest.raises(AttributeError) as caught:
        house.follow()
    assert caught.value.__notes__ == ["while folding stock: event inventory-bolt@berlin:1 at position 1"]


def test_a_rebuild_equals_the_live_tables_and_the_follower_goes_on_after_it(stocked: House) -> None:
    stocked.append(received("cog", 1))
    before = stocked.query("SELECT 'gold.fact_stock'::regclass::oid")

    rebuilt = stocked.read_model.rebuild(stocked.progress)

    assert (rebuilt.swapped, rebuilt.events, rebuilt.position) == (True, 4, 4)
    assert rebuilt.certificate is not None
    rows = {table.table: table.rows_rebuilt for table in rebuilt.certificate.tables}
    assert rows == {
        "gold.fact_daily": 5,
        "gold.fact_day": 2,
        "gold.fact_stock": 2,
        "gold.kpi_policy": 1,
        "silver.movements": 4,
        "silver.stock": 2,
    }
    assert before != stocked.query("SELECT 'gold.fact_stock'::regclass::oid")
    assert stocked.facts() == STOCKED
    assert ("fold", 4, 4) in stocked.phases
    stocked.append(adjusted("nut", 2, 6))
    stocked.follow()
    assert stocked.facts() == [STOCKED[0], ("cog", 1, Decimal("2.50"), 1), ("nut", 6, Decimal("15.00"), 2)]
    assert stocked.read_model.verify(stocked.progress).equal
    assert stocked.schemas() == LIVE_AND_OLD


def test_events_followed_while_a_rebuild_runs_are_caught_up_before_the_comparison(stocked: House) -> None:
    def follow_during(phase: str, *_: int) -> None:
        if phase == "index" and stocked.read_model.position() == 4:
            stocked.append(adjusted("nut", 2, 6), received("cog", 1))
            stocked.follow()

    with_another = stocked.another_read_model()
    rebuilt = with_another.rebuild(follow_during)

    assert (rebuilt.swapped, rebuilt.events, rebuilt.position) == (True, 6, 6)
    assert [fact[:2] for fact in stocked.facts()] == [("bolt", 8), ("cog", 1), ("nut", 6)]


def test_the_first_build_goes_to_the_end_of_the_log_with_nothing_to_compare(house: House) -> None:
    house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9), adjusted("bolt", 3, 8))
    rebuilt = house.read_model.rebuild(house.progress)
    assert (rebuilt.swapped, rebuilt.certificate) == (True, None)
    assert (house.facts(), house.read_model.position()) == (STOCKED, 4)
    assert house.read_model.verify(house.progress).equal


def test_a_follower_that_starts_during_the_first_build_is_not_overtaken(house: House) -> None:
    house.append(received("bolt", 10), received("nut", 7))

    def follow_one(phase: str, *_: int) -> None:
        if phase == "index":
            Follower(house.store, house.read_model, 1).step()

    with pytest.raises(CheckpointMovedError, match="stands at 1, the build at 2"):
        house.another_read_model().rebuild(follow_one)
    assert [fact[0] for fact in house.facts()] == ["bolt"]
    assert house.schemas() == ["gold", "silver"]


@pytest.mark.parametrize("changed", [False, True])
def test_a_first_build_that_a_follower_overtakes_before_the_swap_is_swapped_in_where_it_is_certified(
    house: House, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9))

    def follow_at_the_swap(conn: psycopg.Connection) -> None:
        if not house.read_model.position():
            house.append(adjusted("bolt", 3, 8))
            house.follow()
            if changed:
                house.sql.execute("UPDATE gold.fact_stock SET on_hand = 99 WHERE product_id = 'bolt'")
        swap.end_vacuums(conn)

    monkeypatch.setattr(rebuild, "end_vacuums", follow_at_the_swap)
    rebuilt = house.another_read_model().rebuild(house.progress)

    assert rebuilt.certificate is not None
    assert rebuilt.certificate.report()["equal"] is not changed
    assert (rebuilt.swapped, rebuilt.position, rebuilt.events) == (not changed, 4, 4)
    assert [fact[:2] for fact in house.facts()] == [("bolt", 99 if changed else 8), ("nut", 7)]
    assert house.schemas() == (["gold", "silver"] if changed else LIVE_AND_OLD)


def test_verify_names_the_rows_that_were_changed_removed_or_added_by_hand(stocked: House) -> None:
    stocked.sql.execute("UPDATE gold.fact_stock SET on_hand = 99 WHERE product_id = 'bolt'")
    stocked.sql.execute("DELETE FROM gold.fact_daily WHERE day = '2026-01-03'")
    stocked.sql.execute("INSERT INTO gold.kpi_policy VALUES ('early', 1)")

    report = stocked.read_model.verify(stocked.progress).report()

    assert (report["equal"], report["position"]) == (False, 4)
    unequal = {table["table"]: table for table in report["tables"] if not table["equal"]}
    assert {name: (t["rows_live"], t["rows_rebuilt"]) for name, t in unequal.items()} == {
        "gold.fact_daily": (4, 5),
        "gold.fact_stock": (2, 2),
        "gold.kpi_policy": (2, 1),
    }
    (changed,) = unequal["gold.fact_stock"]["differences"]
    assert changed["key"] == {"stream_id": "inventory-bolt@berlin"}
    assert (changed["live"]["on_hand"], changed["rebuilt"]["on_hand"]) == (99, 8)
    (removed,) = unequal["gold.fact_daily"]["differences"]
    key = {"stream_id": "inventory-nut@berlin", "day": "2026-01-03"}
    assert removed == {"key": key, "live": None, "rebuilt": {**key, "on_hand": 7}, "events": ()}
    (added,) = unequal["gold.kpi_policy"]["differences"]
    early = {"key": {"name": "early"}, "live": {"days": 1, "name": "early"}, "rebuilt": None}
    assert added == {**early, "events": ()}
    assert unequal["gold.fact_stock"]["digest_live"] != unequal["gold.fact_stock"]["digest_rebuilt"]
    assert stocked.schemas() == ["gold", "silver"]


def test_a_view_of_somebody_else_refuses_the_swap_and_is_named(stocked: House) -> None:
    stocked.sql.execute("CREATE VIEW public.my_stock AS SELECT * FROM gold.fact_stock")
    with pytest.raises(DependentObjectsError, match=r"my_stock \(on gold.fact_stock\)"):
        stocked.read_model.rebuild(stocked.progress)
    assert stocked.query("SELECT count(*) FROM my_stock") == [(2,)]
    assert stocked.schemas() == ["gold", "silver"]
    stocked.sql.execute("DROP VIEW public.my_stock")
    assert stocked.read_model.rebuild(stocked.progress).swapped


def test_a_refused_swap_leaves_what_was_kept_before(stocked: House) -> None:
    assert stocked.read_model.rebuild(stocked.progress).swapped
    stocked.sql.execute("CREATE VIEW public.my_stock AS SELECT * FROM gold.fact_stock")
    with pytest.raises(DependentObjectsError):
        stocked.read_model.rebuild(stocked.progress)
    assert stocked.schemas() == LIVE_AND_OLD
    stocked.sql.execute("DROP VIEW public.my_stock")
    assert stocked.read_model.swap_back(stocked.progress).swapped
    assert stocked.facts() == STOCKED


def test_read_models_that_were_dropped_are_made_anew_from_the_start_of_the_log(stocked: House) -> None:
    facts = stocked.facts()
    stocked.sql.execute("DROP SCHEMA silver, gold CASCADE")
    stocked.read_model.create()
    assert (stocked.read_model.position(), stocked.facts()) == (0, [])
    stocked.follow()
    assert stocked.facts() == facts


@pytest.mark.parametrize(("gone", "left"), [("silver", "gold"), ("gold", "silver")])
def test_where_one_schema_is_left_it_is_named_with_what_to_do(stocked: House, gone: str, left: str) -> None:
    facts = stocked.facts()
    stocked.sql.execute(f"DROP SCHEMA {gone} CASCADE".encode())
    said = f"there is a schema {left} and none named {gone}.* DROP SCHEMA {left}"
    with pytest.raises(SchemaInTheWayError, match=said):
        stocked.another_read_model().create()
    assert stocked.schemas() == [left]
    stocked.sql.execute(f"DROP SCHEMA {left} CASCADE".encode())
    stocked.read_model.create()
    stocked.follow()
    assert stocked.facts() == facts


def test_a_difference_refuses_the_swap_until_changes_are_accepted(stocked: House) -> None:
    stocked.sql.execute("UPDATE gold.fact_stock SET on_hand = 99 WHERE product_id = 'bolt'")
    assert not stocked.read_model.rebuild(stocked.progress).swapped
    assert stocked.facts()[0][1] == 99

    accepted = stocked.read_model.rebuild(stocked.progress, accept_changes=True)
    assert accepted.swapped
    assert accepted.certificate is not None
    assert not accepted.certificate.equal
    assert stocked.facts() == STOCKED


def test_a_table_with_other_columns_is_a_difference(stocked: House) -> None:
    stocked.sql.execute("ALTER TABLE gold.kpi_policy RENAME days TO hours")
    certificate = stocked.read_model.verify(stocked.progress)
    (changed,) = [table for table in certificate.tables if not table.equal]
    assert (changed.table, changed.columns) == ("gold.kpi_policy", ("-hours integer", "+days integer"))


def test_a_gold_table_that_is_new_is_compared_as_absent_and_comes_with_the_swap(stocked: House) -> None:
    (stocked.gold / "dim_new.sql").write_text("-- comment: New.\n-- key: one\nSELECT 1 AS one")
    changed = stocked.another_read_model()
    refused = changed.rebuild(stocked.progress)
    assert refused.certificate is not None
    (new,) = [table for table in refused.certificate.tables if not table.equal]
    assert (new.table, new.rows_live, new.rows_rebuilt) == ("gold.dim_new", None, 1)
    assert changed.rebuild(stocked.progress, accept_changes=True).swapped
    assert stocked.query("SELECT one FROM gold.dim_new") == [(1,)]


def test_readers_during_a_swap_see_all_old_or_all_new(stocked: House) -> None:
    mark = "UPDATE gold.{} SET {} = 99"
    versions: set[tuple[bool, bool]] = set()
    stop, failures = threading.Event(), []

    def read() -> None:
        query = "SELECT bool_or(on_hand = 99), bool_or(days = 99) FROM gold.fact_stock, gold.kpi_policy"
        try:
            with psycopg.connect(stocked.conninfo, autocommit=True) as conn:
                while not stop.is_set():
                    versions.update(conn.execute(query).fetchall())
        except psycopg.Error as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    stocked.sql.execute(mark.format("fact_stock", "on_hand"))
    stocked.sql.execute(mark.format("kpi_policy", "days"))
    reader.start()
    for _ in range(3):
        assert stocked.read_model.rebuild(stocked.progress, accept_changes=True).swapped
        with stocked.sql.transaction():
            stocked.sql.execute(mark.format("fact_stock", "on_hand"))
            stocked.sql.execute(mark.format("kpi_policy", "days"))
    stop.set()
    reader.join()

    assert failures == []
    assert versions == {(True, True), (False, False)}


@pytest.mark.parametrize(
    "hold",
    [
        pytest.param("SELECT * FROM gold.fact_stock", id="a reader"),
        pytest.param("LOCK TABLE gold.fact_stock IN SHARE UPDATE EXCLUSIVE MODE", id="VACUUM or ANALYZE by hand"),
    ],
)
def test_a_transaction_that_goes_on_is_waited_for_but_not_cut_off(
    stocked: House, monkeypatch: pytest.MonkeyPatch, hold: LiteralString
) -> None:
    monkeypatch.setattr(swap, "PATIENCE", 0.2)
    with psycopg.connect(stocked.conninfo) as holder:
        holder.execute(hold)
        with pytest.raises(ReadersInTheWayError):
            stocked.read_model.rebuild(stocked.progress)
        assert holder.execute("SELECT count(*) FROM gold.kpi_policy").fetchone() == (1,)
    assert stocked.facts() == STOCKED
    assert stocked.read_model.rebuild(stocked.progress).swapped


def test_the_limit_on_an_attempt_to_lock_ends_no_other_statement(
    stocked: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "PATIENCE", 0.3)
    with connect(stocked.conninfo) as conn, conn.transaction(), psycopg.connect(stocked.conninfo) as holder:
        holder.execute("SELECT FROM gold.fact_stock")
        with pytest.raises(ReadersInTheWayError):
            swap.swap(conn, LIVE)
        assert conn.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_who_waits_behind_a_swap_that_waits_counts_as_kept_waiting(
    stocked: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "ATTEMPT_MILLISECONDS", 60_000)
    waiting = "SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
    with psycopg.connect(stocked.conninfo) as holder, ThreadPoolExecutor(1) as threads:
        holder.execute("SELECT FROM gold.fact_stock")
        rebuilding = threads.submit(stocked.read_model.rebuild, stocked.progress)
        until(lambda: stocked.query(waiting), "the swap does not wait")
        time.sleep(0.2)
        holder.rollback()
        assert (rebuilding.result().locked_seconds or 0) >= 0.2


VACUUM = "SELECT FROM pg_stat_progress_vacuum WHERE relid = 'gold.fact_stock'::regclass"


@pytest.fixture
def vacuumed(stocked: House) -> Iterator[House]:
    """A house of which the server vacuums a live table, for longer than anybody would wait."""
    stocked.sql.execute("ALTER SYSTEM SET autovacuum_naptime = 1")
    stocked.sql.execute("SELECT pg_reload_conf()")
    stocked.sql.execute(
        "ALTER TABLE gold.fact_stock SET (autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_cost_delay = 100)"
    )
    stocked.sql.execute("INSERT INTO gold.fact_stock (stream_id) SELECT n::text FROM generate_series(1, 20000) n")
    stocked.sql.execute("DELETE FROM gold.fact_stock WHERE product_id IS NULL")
    try:
        until(lambda: stocked.query(VACUUM), "no vacuum begins")
        yield stocked
    finally:
        stocked.sql.execute("ALTER SYSTEM RESET autovacuum_naptime")
        stocked.sql.execute("SELECT pg_reload_conf()")


def test_a_vacuum_of_the_servers_own_makes_way_before_followers_wait(
    vacuumed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[list[Any]] = []
    lock = log.lock_checkpoint

    def locked(conn: psycopg.Connection) -> int:
        running.append(vacuumed.query(VACUUM))
        return lock(conn)

    monkeypatch.setattr(log, "lock_checkpoint", locked)
    monkeypatch.setattr(swap, "PATIENCE", 5.0)
    assert vacuumed.read_model.rebuild(vacuumed.progress).swapped
    assert running[-1] == []
    assert vacuumed.facts() == STOCKED


def test_a_vacuum_that_begins_just_before_the_swap_makes_way_too(
    vacuumed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "end_vacuums", lambda _: None)
    monkeypatch.setattr(swap, "PATIENCE", 5.0)
    assert vacuumed.read_model.rebuild(vacuumed.progress).swapped
    assert vacuumed.facts() == STOCKED


def test_the_next_rebuild_removes_what_a_killed_one_left_and_nothing_else(stocked: House) -> None:
    def kill(phase: str, *_: int) -> None:
        if phase == "gold":
            stocked.query(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database d ON d.oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )

    with pytest.raises(ReadModelUnavailableError):
        stocked.read_model.rebuild(kill)
    stocked.sql.execute("UPDATE replay.builds SET code_version = 'older'")
    left = {*stocked.schemas()} - {"gold", "silver"}
    assert len(left) == 2
    others = ["gold_build_0123abcd", "gold_mine", "silver_build_0123abcd"]
    for name in others:
        stocked.sql.execute(f"CREATE SCHEMA {name} CREATE TABLE fact_stock (id int)".encode())
    assert stocked.read_model.rebuild(stocked.progress).swapped
    assert stocked.schemas() == sorted([*LIVE_AND_OLD, *others])
    assert stocked.facts() == STOCKED


def test_a_rebuild_whose_connection_is_killed_leaves_the_live_tables_and_the_next_cleans_up(
    stocked: House,
) -> None:
    def kill(phase: str, *_: int) -> None:
        if phase == "certify":
            stocked.query(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database d ON d.oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )

    with pytest.raises(ReadModelUnavailableError):
        stocked.read_model.rebuild(kill)
    assert stocked.facts() == STOCKED
    assert len(stocked.schemas()) == 4

    assert stocked.read_model.rebuild(stocked.progress).swapped
    assert stocked.schemas() == LIVE_AND_OLD


def test_a_second_rebuild_is_refused_while_one_runs(stocked: House) -> None:
    refused: list[Exception] = []

    def rebuild_again(phase: str, *_: int) -> None:
        if phase == "certify":
            with pytest.raises(RebuildRunningError, match="Another rebuild or verification is running") as e:
                stocked.read_model.verify(stocked.progress)
            refused.append(e.value)

    assert stocked.another_read_model().rebuild(rebuild_again).swapped
    assert len(refused) == 1


def test_grants_of_readers_survive_the_swap(stocked: House) -> None:
    name = stocked.query("SELECT 'reader_of_' || current_database()")[0][0]
    stocked.sql.execute(f"CREATE ROLE {name}".encode())
    stocked.sql.execute(f"GRANT USAGE ON SCHEMA gold TO {name}".encode())
    stocked.sql.execute(f"GRANT SELECT ON gold.fact_stock TO {name}".encode())
    stocked.read_model.rebuild(stocked.progress)
    stocked.sql.execute(f"SET ROLE {name}".encode())
    assert stocked.facts() == STOCKED
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stocked.query("SELECT * FROM gold.kpi_policy")


def test_grants_on_single_columns_survive_the_swap_where_the_columns_do(stocked: House) -> None:
    name = stocked.query("SELECT 'clerk_of_' || current_database()")[0][0]
    stocked.sql.execute(f"CREATE ROLE {name}".encode())
    stocked.sql.execute("ALTER TABLE gold.fact_stock ADD COLUMN gone integer")
    stocked.sql.execute(f"GRANT USAGE ON SCHEMA gold TO {name}".encode())
    stocked.sql.execute(f"GRANT SELECT (product_id, gone), UPDATE (on_hand) ON gold.fact_stock TO {name}".encode())
    stocked.read_model.rebuild(stocked.progress, accept_changes=True)
    stocked.sql.execute(f"SET ROLE {name}".encode())
    assert stocked.query("SELECT product_id FROM gold.fact_stock ORDER BY 1") == [("bolt",), ("nut",)]
    stocked.sql.execute("UPDATE gold.fact_stock SET on_hand = 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stocked.facts()


def test_statistics_exist_after_the_first_batch(stocked: House) -> None:
    query = "SELECT relname FROM pg_class WHERE oid IN ('silver.stock'::regclass, 'gold.fact_stock'::regclass)"
    assert len(stocked.query(f"{query} AND reltuples > 0")) == 2


def test_a_database_that_takes_no_writes_is_away(stocked: House) -> None:
    stocked.append(adjusted("bolt", 4, 7))
    stocked.sql.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());"
        " END $$"
    )
    reconnected = stocked.another_read_model()
    with pytest.raises(ReadModelUnavailableError, match="read-only"):
        Follower(stocked.store, reconnected).run()
    with pytest.raises(ReadModelUnavailableError, match="read-only"):
        reconnected.rebuild(stocked.progress)


def test_damaged_data_is_named_in_one_line(stocked: House) -> None:
    stocked.append(adjusted("bolt", 4, 7))
    stocked.sql.execute(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'invalid page in block 7' USING ERRCODE = 'data_corrupted'; END $$;"
        "CREATE TRIGGER fail BEFORE DELETE ON silver.stock EXECUTE FUNCTION public.fail()"
    )
    with pytest.raises(RefusedByDatabaseError, match=r"invalid page in block 7: the database failed by itself"):
        stocked.follow()


def test_a_server_that_is_gone_is_named(tmp_path: Path) -> None:
    read_model = PostgresReadModel(f"host={tmp_path} dbname=none", [SUBJECT], tmp_path)
    with pytest.raises(ReadModelUnavailableError, match="the database of the read models"):
        read_model.position()
