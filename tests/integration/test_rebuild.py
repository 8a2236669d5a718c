"""Rebuilds in shards and worker processes, interrupted, resumed, under traffic, swapped back."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, LiteralString

import psutil
import psycopg
import pytest
from psycopg import sql

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.read_model import PostgresReadModel, planning, rebuild, schemas, workers
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.loading import run_shard
from adapters.postgres.read_model.session import connect
from adapters.postgres.read_model.silver_tables import SilverTable
from adapters.postgres.read_model.stream_blocks import BLOCK
from application.codec import Metadata, Recorded, UndecodableEventError, encode
from application.ports.event_store import Batch, NewEvent
from application.ports.read_model import (
    NothingKeptError,
    OtherVersionError,
    ReadModelUnavailableError,
    RowRefusedError,
    WorkersLostError,
)
from application.projections.registry import SUBJECTS
from application.replay.follower import Follower
from domain.catalog.events import CarrierRegistered
from tests.acceptance.home import until
from tests.integration.test_read_model import GOLD, LIVE_AND_OLD, NOON, SUBJECT, House, StockRow, adjusted, received

WAITING = "SELECT pid FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
PRODUCTS = [f"part {number}" for number in range(40)]


@pytest.fixture
def house(conninfo: str, tmp_path: Path) -> Iterator[House]:
    """A house with forty streams, followed to the end of the log."""
    house = House.in_folder(conninfo, tmp_path)
    house.append(*(received(product, 10) for product in PRODUCTS))
    house.append(*(adjusted(product, 2, 9) for product in PRODUCTS))
    house.follow(1_000)
    yield house
    house.close()


def shards(house: House, build: str = "live") -> list[tuple[Any, ...]]:
    return house.query(f"SELECT number, events, done_at FROM replay.shards WHERE build = '{build}' ORDER BY 1")


@pytest.mark.parametrize("count", [1, 3, 8])
def test_into_however_many_shards_the_log_is_cut_the_result_is_the_same(house: House, count: int) -> None:
    rebuilt = house.read_model.rebuild(house.progress, shards=count)
    assert rebuilt.certificate is not None
    assert rebuilt.certificate.equal
    done = shards(house)
    assert len(done) == count
    assert sum(events for _, events, _ in done) == 80
    assert max(events for _, events, _ in done) <= 80 // count + 8


def test_more_shards_than_there_are_events_take_no_longer_to_plan(house: House) -> None:
    rebuilt = house.read_model.rebuild(house.progress, shards=10**9)
    assert rebuilt.certificate is not None
    assert rebuilt.certificate.equal
    ((streams,),) = house.query("SELECT count(DISTINCT originator_id) FROM events.stored_events")
    assert 8 < len(shards(house)) <= streams


def test_a_shard_that_is_run_twice_is_loaded_once(house: House) -> None:
    with connect(house.conninfo) as conn:
        build = Build([SUBJECT], ())
        plan = planning.plan(conn, build, name="twice", purpose="as-of", upto=80, shards=2)
        first = run_shard(house.conninfo, [SUBJECT], plan.shards[0])
        assert run_shard(house.conninfo, [SUBJECT], plan.shards[0]) == first
        assert planning.missing_shards(conn, "twice") == [plan.shards[1]]
        assert house.query("SELECT count(*) FROM silver_twice.movements") == [(first.events,)]
        planning.drop_build(conn, "twice")
    assert house.schemas() == ["gold", "silver"]


def test_an_interrupted_rebuild_is_gone_on_with_and_only_missing_shards_are_loaded(house: House) -> None:
    def strike(phase: str, done: int, total: int) -> None:
        if phase == "fold" and done < total and len([each for each in finished() if each]) == 3:
            cut_all_connections(house)

    def finished() -> list[Any]:
        return [at for (at,) in house.query("SELECT done_at FROM replay.shards ORDER BY number")]

    with pytest.raises(ReadModelUnavailableError):
        house.read_model.rebuild(strike, shards=8)
    before = finished()
    assert [at is not None for at in before] == [True] * 3 + [False] * 5
    rebuilt = house.read_model.rebuild(house.progress, shards=8)
    assert rebuilt.certificate is not None
    assert (rebuilt.certificate.equal, rebuilt.events) == (True, 80)
    assert finished()[:3] == before[:3]
    assert house.schemas() == LIVE_AND_OLD


def test_a_rebuild_that_was_interrupted_in_gold_makes_only_what_is_missing(house: House) -> None:
    def strike(phase: str, *_: int) -> None:
        if phase == "gold":
            cut_all_connections(house)

    with pytest.raises(ReadModelUnavailableError):
        house.read_model.rebuild(strike)
    (stock,) = house.query(f"SELECT '{aside(house)}.stock'::regclass::oid")
    assert house.read_model.rebuild(house.progress).swapped
    assert house.query("SELECT 'silver.stock'::regclass::oid") == [stock]


def test_a_rebuild_by_other_code_starts_afresh(house: House) -> None:
    def strike(phase: str, *_: int) -> None:
        if phase == "index":
            cut_all_connections(house)

    with pytest.raises(ReadModelUnavailableError):
        house.read_model.rebuild(strike)
    left = aside(house)
    house.sql.execute("UPDATE replay.builds SET code_version = 'older' WHERE purpose = 'rebuild'")
    (stock,) = house.query(f"SELECT '{left}.stock'::regclass::oid")
    assert house.read_model.rebuild(house.progress).swapped
    assert house.query("SELECT 'silver.stock'::regclass::oid") != [stock]
    assert house.schemas() == LIVE_AND_OLD


def cut_all_connections(house: House) -> None:
    house.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )


def aside(house: House) -> str:
    (name,) = [name for name in house.schemas() if name.startswith("silver_build")]
    return name


def test_a_stream_of_several_blocks_equals_what_was_followed(house: House) -> None:
    house.append(*(adjusted("part 0", version, version % 7) for version in range(3, 2 * BLOCK + 3)))
    house.follow(BLOCK)
    rebuilt = house.read_model.rebuild(house.progress, shards=3)
    assert rebuilt.certificate is not None
    assert rebuilt.certificate.equal
    assert rebuilt.events == 80 + 2 * BLOCK


def test_a_bad_event_in_a_late_block_is_named(house: House) -> None:
    house.append(*(adjusted("part 0", version, 5) for version in range(3, BLOCK + 10)))
    house.follow(BLOCK)
    house.sql.execute(f"UPDATE events.stored_events SET topic = 'Unheard.v1' WHERE originator_version = {BLOCK + 5}")
    with pytest.raises(UndecodableEventError, match=rf"inventory-part 0@berlin:{BLOCK + 5} \(Unheard.v1\) at position"):
        house.read_model.rebuild(house.progress)
    assert house.schemas() == ["gold", "silver"]


def test_a_row_that_silver_refuses_is_named_with_its_events_and_nothing_is_left(house: House) -> None:
    def fold(view: Any, recorded: Recorded) -> Any:
        view = SUBJECT.fold(view, recorded)
        if recorded.position == 48:
            view.stock.product_id = None
        return view

    broken = PostgresReadModel(house.conninfo, [replace(SUBJECT, fold=fold)], house.gold)
    said = (
        'silver.stock refuses a row: null value in column "product_id" .*violates not-null constraint; Failing row'
        r" contains .*; the row is of inventory-part 7@berlin, from its events at positions 8 to 48\. .* Nothing was"
    )
    for shards in (1, 3):
        with pytest.raises(RowRefusedError, match=said):
            broken.rebuild(house.progress, shards=shards)
        assert house.schemas() == ["gold", "silver"]
        assert house.query("SELECT name FROM replay.builds") == [("live",)]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("-- check: on_hand <> 3", 'check constraint "fact_stock_on_hand_check" of .* is violated by some row'),
        ("-- column odd: null for one row", 'column "odd" of relation "fact_stock" contains null values'),
    ],
)
def test_a_row_that_gold_refuses_is_named_with_its_events_and_nothing_is_left(
    house: House, tmp_path: Path, header: str, said: str
) -> None:
    house.append(adjusted("part 4", 3, 3))
    house.follow()
    text = GOLD["fact_stock"].replace("SELECT s.stream_id", "SELECT s.first_position, s.last_position, s.stream_id", 1)
    text = text.replace("AS movements", "AS movements, nullif(s.on_hand, 3) AS odd")
    (tmp_path / "fact_stock.sql").write_text(f"{header}\n{text}")
    row = "the row is of inventory-part 4@berlin, from its events at positions 5 to 81; in .* fact_stock.sql"
    with pytest.raises(RowRefusedError, match=f"gold.fact_stock refuses a row: {said}; {row}"):
        PostgresReadModel(house.conninfo, [SUBJECT], tmp_path).rebuild(house.progress)
    assert house.schemas() == ["gold", "silver"]


def test_a_row_that_silver_refuses_is_named_by_the_follower_too(house: House) -> None:
    def fold(view: Any, recorded: Recorded) -> Any:
        view = SUBJECT.fold(view, recorded)
        view.stock.product_id = None
        return view

    house.append(adjusted("part 4", 3, 3))
    broken = PostgresReadModel(house.conninfo, [replace(SUBJECT, fold=fold)], house.gold)
    with pytest.raises(RowRefusedError, match="of inventory-part 4@berlin, from its events at positions 5 to 81"):
        Follower(house.store, broken).run()
    broken.close()


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (
            "-- check: on_hand % 10 <> 3",
            'violates check constraint "fact_stock_on_hand_check"; Failing row contains .*',
        ),
        ("-- column odd: null for one row", 'null value in column "odd" .* violates not-null constraint; Failing .*'),
    ],
)
@pytest.mark.parametrize(
    "scope", ["", "-- since stock: last_position SELECT stream_id, %(first)s FROM stock WHERE stream_id = ANY(%(ids)s)"]
)
def test_a_row_that_gold_refuses_is_named_by_the_follower_too(
    conninfo: str, tmp_path: Path, added: str, said: str, scope: str
) -> None:
    text = GOLD["fact_stock"].replace("SELECT s.stream_id", "SELECT s.first_position, s.last_position, s.stream_id", 1)
    text = text.replace("AS movements", "AS movements, nullif(s.on_hand, 3) AS odd").replace(
        "product_id", "stream_id", 3
    )
    (tmp_path / "fact_stock.sql").write_text("\n".join(filter(None, [scope, added, text])))
    house = House(conninfo, tmp_path)
    house.append(*(received(product, 10) for product in PRODUCTS))
    house.follow()
    house.append(adjusted("part 3", 2, 9), adjusted("part 4", 2, 3))
    row = "the row is of inventory-part 4@berlin, from its events at positions 5 to 42; in .* fact_stock.sql"
    with pytest.raises(RowRefusedError, match=f"gold.fact_stock refuses a row: .*{said}; {row}"):
        house.follow()
    assert house.read_model.position() == len(PRODUCTS)
    house.close()


def test_a_row_of_which_the_follower_can_not_name_more_keeps_the_reason(conninfo: str, tmp_path: Path) -> None:
    (tmp_path / "fact_stock.sql").write_text(GOLD["fact_stock"].replace("s.on_hand *", "100 / (s.on_hand - 3) *"))
    house = House(conninfo, tmp_path)
    house.append(received("bolt", 3))
    with pytest.raises(RowRefusedError, match=r"division by zero; in the gold definition fact_stock\.sql"):
        house.follow()
    house.close()


@pytest.mark.parametrize("survives", [True, False])
def test_an_interruption_leaves_nothing_also_where_the_connection_does_not_outlive_it(
    house: House, monkeypatch: pytest.MonkeyPatch, survives: bool
) -> None:
    def interrupted(_conninfo: str, conn: psycopg.Connection, *_: Any, **__: Any) -> int:
        assert len(house.schemas()) == 4
        conn.pgconn.send_query(b"SELECT pg_sleep(60)" if survives else b"SELECT pg_sleep(0.2)")
        if not survives:
            conn.pgconn.finish()
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuild, "complete", interrupted)
    with pytest.raises(KeyboardInterrupt):
        house.read_model.rebuild(house.progress)
    assert house.schemas() == ["gold", "silver"]


@pytest.mark.parametrize(
    "limit", ["idle_session_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "statement_timeout"]
)
def test_limits_that_a_database_sets_for_sessions_end_no_rebuild(house: House, limit: LiteralString) -> None:
    def slow(*_: object) -> None:
        time.sleep(0.2)

    (database,) = house.query("SELECT current_database()")[0]
    house.sql.execute(sql.SQL(f"ALTER DATABASE {{}} SET {limit} = '100ms'").format(sql.Identifier(database)))
    with connect(house.conninfo) as conn, conn.transaction():
        conn.execute("SELECT pg_sleep(0.2)")
    rebuilt = house.read_model.rebuild(slow)
    assert rebuilt.certificate is not None
    assert rebuilt.certificate.equal


def test_a_follower_that_is_at_work_is_waited_for_whatever_isolation_the_database_has_by_default(house: House) -> None:
    follower = psycopg.connect(house.conninfo)
    (database,) = house.query("SELECT current_database()")[0]
    isolation = sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'")
    house.sql.execute(isolation.format(sql.Identifier(database)))

    def commit() -> None:
        with closing(follower):
            until(lambda: house.query("SELECT FROM pg_locks WHERE NOT granted"), "the follower is not waited for")
            follower.commit()

    committer = threading.Thread(target=commit)

    def follow(phase: str, *_: int) -> None:
        if phase == "gold" and not committer.ident:
            follower.execute("UPDATE events.notification_tracking SET notification_id = notification_id")
            committer.start()

    assert house.read_model.rebuild(follow).swapped
    committer.join()


@pytest.mark.parametrize("phase", ["gold", "certify"])
def test_an_interruption_ends_the_statements_of_other_threads(house: House, phase: str) -> None:
    blocker = psycopg.connect(house.conninfo)
    ended = []

    def interrupt() -> None:
        with closing(blocker):
            until(lambda: house.query(WAITING), "nothing waits for the table")
            waiting = house.query(WAITING)[0][0]
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            until(lambda: not house.query(f"{WAITING} AND pid = {waiting}"), "it goes on")
            ended.append(waiting)

    interrupter = threading.Thread(target=interrupt)

    def block(now: str, *_: int) -> None:
        if now == phase and not interrupter.ident:
            blocker.execute(f"LOCK TABLE {aside(house)}.stock".encode())
            interrupter.start()

    with pytest.raises(KeyboardInterrupt):
        house.read_model.rebuild(block)
    interrupter.join()
    assert ended
    assert house.schemas() == ["gold", "silver"]


def test_what_was_live_is_put_back_caught_up_and_back_again(house: House) -> None:
    with pytest.raises(NothingKeptError):
        house.read_model.swap_back(house.progress)
    first = house.query("SELECT 'gold.fact_stock'::regclass::oid")
    house.read_model.rebuild(house.progress)
    house.append(received("cog", 1))
    house.follow()
    facts = house.facts()

    back = house.read_model.swap_back(house.progress)

    assert (back.swapped, back.position) == (True, 81)
    assert house.query("SELECT 'gold.fact_stock'::regclass::oid") == first
    assert (house.facts(), house.read_model.position()) == (facts, 81)
    house.append(adjusted("cog", 2, 0))
    house.follow()
    assert house.read_model.verify(house.progress).equal
    assert house.read_model.swap_back(house.progress).position == 82
    assert house.query("SELECT 'gold.fact_stock'::regclass::oid") != first
    assert house.read_model.verify(house.progress).equal
    assert house.schemas() == LIVE_AND_OLD


def test_empty_tables_that_a_first_build_replaced_are_put_back_caught_up(house: House) -> None:
    facts = house.facts()
    house.sql.execute("DROP SCHEMA silver, gold CASCADE")
    house.read_model.create()
    assert house.read_model.rebuild(house.progress).position == 80
    assert house.query("SELECT position FROM replay.builds WHERE name = 'old'") == [(0,)]

    back = house.read_model.swap_back(house.progress)

    assert (back.position, house.facts()) == (80, facts)
    assert house.query("SELECT position FROM replay.builds WHERE name = 'old'") == [(80,)]
    assert house.read_model.verify(house.progress).equal


@pytest.mark.parametrize("gone", [["silver_old"], ["gold_old"], ["silver_old", "gold_old"]])
def test_kept_tables_that_somebody_dropped_are_not_put_back_and_no_obstacle(house: House, gone: list[str]) -> None:
    house.read_model.rebuild(house.progress)
    house.sql.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, gone))))
    with pytest.raises(NothingKeptError):
        house.read_model.swap_back(house.progress)
    assert house.read_model.rebuild(house.progress).swapped
    assert house.schemas() == LIVE_AND_OLD
    assert house.read_model.swap_back(house.progress).swapped


def test_who_goes_on_reading_the_kept_tables_keeps_no_rebuild_from_its_end(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schemas, "PATIENCE", 0.2)
    house.read_model.rebuild(house.progress)
    with psycopg.connect(house.conninfo) as reader:
        reader.execute("SELECT FROM silver_old.stock")
        assert house.read_model.rebuild(house.progress).swapped
        assert "the tables of before are not dropped yet, the next rebuild does it: transactions" in caplog.text
        caplog.clear()
        assert house.read_model.rebuild(house.progress).swapped
        assert "what another rebuild left is not dropped yet: transactions" in caplog.text
        caplog.clear()
        assert reader.execute("SELECT count(*) FROM gold.kpi_policy").fetchone() == (1,)
        assert len(house.schemas()) > len(LIVE_AND_OLD)
    assert house.read_model.rebuild(house.progress).swapped
    assert house.schemas() == LIVE_AND_OLD
    assert caplog.text == ""


def test_tables_of_other_code_that_this_one_can_not_go_on_with_are_not_put_back(house: House) -> None:
    house.sql.execute("ALTER TABLE silver.stock RENAME COLUMN moved_at TO came_at")
    house.sql.execute("UPDATE replay.builds SET code_version = 'older'")
    house.read_model.rebuild(house.progress, accept_changes=True)
    house.append(received("cog", 1))
    house.follow()
    facts = house.facts()
    with pytest.raises(OtherVersionError, match=r"older made the kept tables: column .* run that version, or rebuild"):
        house.read_model.swap_back(house.progress, accept_changes=True)
    assert house.facts() == facts


def test_tables_of_other_code_are_put_back_only_if_that_is_accepted(house: House) -> None:
    house.read_model.rebuild(house.progress)
    house.sql.execute("UPDATE replay.builds SET code_version = 'older' WHERE name = 'old'")
    with pytest.raises(OtherVersionError, match="older"):
        house.read_model.swap_back(house.progress)
    assert house.read_model.swap_back(house.progress, accept_changes=True).swapped


def test_rebuilds_under_traffic_are_equal_and_no_query_fails_or_mixes(house: House) -> None:
    stop, failures, mixed = threading.Event(), [], []
    follower = Follower(house.store, house.another_read_model(), 50)

    def live() -> None:
        version = 3
        try:
            while not stop.is_set():
                house.append(*(adjusted(product, version, version) for product in PRODUCTS))
                follower.run()
                version += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    def read() -> None:
        query = (
            "SELECT (SELECT max(last_position) FROM silver.stock), (SELECT max(last_position) FROM silver.movements),"
            " (SELECT sum(on_hand) FROM silver.stock), (SELECT sum(on_hand) FROM gold.fact_stock)"
        )
        try:
            with psycopg.connect(house.conninfo, autocommit=True) as conn:
                while not stop.is_set():
                    stock, movements, units, fact = conn.execute(query).fetchall()[0]
                    if (stock, units) != (movements, fact):
                        mixed.append((stock, movements, units, fact))
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=target) for target in (live, read, read)]
    for thread in threads:
        thread.start()
    rebuilds = [house.read_model.rebuild(house.progress, shards=4) for _ in range(4)]
    stop.set()
    for thread in threads:
        thread.join()

    assert (failures, mixed) == ([], [])
    assert all(rebuilt.certificate is not None and rebuilt.certificate.equal for rebuilt in rebuilds)
    assert max(rebuilt.locked_seconds or 0 for rebuilt in rebuilds) < 0.1
    assert rebuilds[-1].position > 80
    assert house.read_model.verify(house.progress).equal


@pytest.fixture
def platform(prepared: str) -> Iterator[tuple[PostgresEventStore, PostgresReadModel]]:
    """The platform's own subjects and gold, with a log of carriers, followed: what worker processes can load."""
    store = PostgresEventStore(prepared, pool_size=1)
    store.append(Batch(events=[carrier(number) for number in range(60)]))
    with as_file(files("adapters.postgres").joinpath("gold")) as folder:
        read_model = PostgresReadModel(prepared, SUBJECTS, Path(folder))
        read_model.create()
        Follower(store, read_model).run()
        yield store, read_model
        read_model.close()
    store.close()


def carrier(number: int) -> NewEvent:
    event = CarrierRegistered(occurred_at=NOON, carrier_id=f"{number:02}", name=f"Carrier {number}")
    return NewEvent(f"carrier-{number:02}", 1, event.TOPIC, encode(event, Metadata(NOON, "message", "message", "test")))


def silent(*_: object) -> None:
    pass


Platform = tuple[PostgresEventStore, PostgresReadModel]


def test_workers_that_are_killed_are_replaced(platform: Platform, prepared: str) -> None:
    _, read_model = platform
    killed = []

    def strike(phase: str, *_: int) -> None:
        if phase == "fold" and not killed:
            for process in psutil.Process().children():
                ended = process.status() == psutil.STATUS_ZOMBIE
                if not ended and "adapters.postgres.read_model.worker" in process.cmdline():
                    process.kill()
                    killed.append(process.pid)

    rebuilt = read_model.rebuild(strike, workers=2, shards=12)

    assert len(killed) == 2
    assert rebuilt.certificate is not None
    assert (rebuilt.certificate.equal, rebuilt.events) == (True, 60)
    with psycopg.connect(prepared) as conn:
        query = "SELECT count(*), sum(events) FROM replay.shards WHERE build = 'live' AND done_at IS NOT NULL"
        assert conn.execute(query).fetchone() == (12, 60)


def test_workers_that_die_again_and_again_end_the_rebuild(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    _, read_model = platform
    monkeypatch.setattr(workers.sys, "executable", "false")
    with pytest.raises(WorkersLostError, match="4 workers of the build died, the last one with exit code 1"):
        read_model.rebuild(silent, workers=2)


def test_a_bad_event_that_a_worker_finds_is_named(platform: Platform, prepared: str) -> None:
    _, read_model = platform
    with psycopg.connect(prepared, autocommit=True) as conn:
        conn.execute("UPDATE events.stored_events SET state = '{}' WHERE notification_id = 17")
    with pytest.raises(UndecodableEventError, match=r"carrier-16:1 \(CarrierRegistered.v1\) at position 17"):
        read_model.rebuild(silent, workers=2, shards=4)


def test_decimals_come_back_with_all_their_digits_and_their_scale(house: House) -> None:
    costs = ["2.5", "2.50", "0", "-12345678901234567890.000000001", "1E+3", "1E-12"]
    table = SilverTable(SUBJECT.tables[0])
    rows = [StockRow(f"s{n}", "p", 1, Decimal(cost), NOON, 1, 1) for n, cost in enumerate(costs)]
    with connect(house.conninfo) as conn:
        table.copy(conn, "silver", [*rows, StockRow("t", "p", 1, None, NOON, 1, 1)])
    stored = house.query("SELECT unit_cost::text FROM silver.stock WHERE product_id = 'p' ORDER BY stream_id")
    assert [text for (text,) in stored] == [*costs[:4], "1000", "0.000000000001", None]
