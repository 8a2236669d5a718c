"""Rebuilds of live tables that are far behind the log: proved where these stand, and built on to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.certificates import PostgresCertificates
from adapters.postgres.database import open_pool
from adapters.postgres.read_model import PostgresReadModel, planning
from application.codec import Recorded
from application.ports.read_model import CheckpointMovedError, ReadModelUnavailableError
from application.replay import lag
from application.replay.certificate import Certificate, Rebuilt
from tests.integration.test_read_model import LIVE_AND_OLD, SUBJECT, House, adjusted, received
from tests.integration.test_rebuild import cut_all_connections

PRODUCTS = [f"part {number}" for number in range(10)]
PROVED, HEAD = 20, 60
DONE = "SELECT number, done_at FROM replay.shards WHERE build = 'live'"


@pytest.fixture
def house(conninfo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house whose live tables stand at a third of the log."""
    monkeypatch.setattr(lag, "WORTH_BUILDING", 20)
    house = House.in_folder(conninfo, tmp_path)
    house.append(*(received(product, 10) for product in PRODUCTS), *(adjusted(product, 2, 9) for product in PRODUCTS))
    house.follow()
    fall_behind(house, 3, 7)
    yield house
    house.close()


@pytest.fixture
def pool(conninfo: str) -> Iterator[ConnectionPool]:
    with open_pool(conninfo, size=1) as pool:
        yield pool


def fall_behind(house: House, first: int, end: int) -> None:
    house.append(*(adjusted(product, version, 20 - version) for version in range(first, end) for product in PRODUCTS))


def onward(house: House, progress: Callable[[str, int, int], None] | None = None, **more: Any) -> Rebuilt:
    return house.read_model.rebuild(progress or house.progress, onward=True, shards=4, **more)


def proof(rebuilt: Rebuilt) -> Certificate:
    assert rebuilt.certificate is not None
    return rebuilt.certificate


def builds(house: House) -> list[tuple[Any, ...]]:
    return house.query("SELECT purpose, position FROM replay.builds ORDER BY 2, 1")


def test_it_is_proved_where_the_live_tables_stand_and_goes_on_to_the_end_of_the_log(
    house: House, pool: ConnectionPool
) -> None:
    rebuilt = onward(house)

    assert (rebuilt.swapped, rebuilt.position, rebuilt.events) == (True, HEAD, HEAD)
    certificate = proof(rebuilt)
    assert (certificate.equal, certificate.position, certificate.built_on_to) == (True, PROVED, HEAD)
    assert [table.rows_live for table in certificate.tables if table.table == "silver.movements"] == [PROVED]
    assert PostgresCertificates(pool).load() == certificate
    assert [entry.swapped for entry in PostgresCertificates(pool).latest(5)] == [True]
    assert house.read_model.position() == HEAD
    assert house.query("SELECT count(*) FROM silver.movements") == [(HEAD,)]
    assert house.schemas() == LIVE_AND_OLD
    assert builds(house) == [("kept", PROVED), ("live", HEAD)]
    done = [done for phase, done, _ in house.phases if phase != "plan"]
    assert done == sorted(done)
    assert done[-1] == PROVED + HEAD
    assert house.read_model.verify(house.progress).equal


def test_a_rebuild_that_is_not_asked_to_go_on_ends_where_the_live_tables_stand(house: House) -> None:
    rebuilt = house.read_model.rebuild(house.progress)
    assert (rebuilt.position, proof(rebuilt).position, proof(rebuilt).built_on_to) == (PROVED, PROVED, None)
    assert house.read_model.position() == PROVED


def test_what_is_appended_meanwhile_is_followed_from_the_end_of_the_build(house: House) -> None:
    def append(phase: str, *_: int) -> None:
        if phase == "swap":
            fall_behind(house, 7, 8)

    assert onward(house, append).position == HEAD
    assert house.follow() == len(PRODUCTS)
    assert house.read_model.verify(house.progress).equal


def test_the_tables_of_before_are_kept_where_they_stood_and_put_back_caught_up(house: House) -> None:
    first = house.query("SELECT 'gold.fact_stock'::regclass::oid")
    onward(house)
    facts = house.facts()

    back = house.read_model.swap_back(house.progress)

    assert house.query("SELECT 'gold.fact_stock'::regclass::oid") == first
    assert (back.position, house.facts()) == (HEAD, facts)
    assert house.read_model.verify(house.progress).equal
    assert builds(house) == [("kept", HEAD), ("live", HEAD)]


def test_a_difference_where_the_live_tables_stand_refuses_and_nothing_is_left(
    house: House, pool: ConnectionPool
) -> None:
    house.sql.execute("UPDATE silver.stock SET on_hand = 3 WHERE product_id = 'part 4'")
    facts = house.facts()

    refused = onward(house)

    assert (refused.swapped, refused.position, proof(refused).equal) == (False, PROVED, False)
    assert (PostgresCertificates(pool).load().built_on_to, proof(refused).built_on_to) == (None, None)
    assert (house.facts(), house.read_model.position()) == (facts, PROVED)
    assert house.schemas() == ["gold", "silver"]
    assert builds(house) == [("live", 0)]


def test_a_difference_that_is_accepted_is_said_and_built_on(house: House, pool: ConnectionPool) -> None:
    def fold(view: Any, recorded: Recorded) -> Any:
        view = SUBJECT.fold(view, recorded)
        view.stock.on_hand += 1
        return view

    subject = replace(SUBJECT, fold=fold)
    with closing(PostgresReadModel(house.conninfo, [subject], house.gold)) as changed:
        assert not changed.rebuild(house.progress, onward=True).swapped
        rebuilt = changed.rebuild(house.progress, onward=True, accept_changes=True)
        assert changed.verify(house.progress).equal
    kept = PostgresCertificates(pool).load(proof(rebuilt).number)
    assert (kept.equal, kept.position, kept.built_on_to) == (False, PROVED, HEAD)
    assert house.schemas() == LIVE_AND_OLD


def test_live_tables_that_moved_after_the_proof_are_not_replaced(house: House, pool: ConnectionPool) -> None:
    def follow(phase: str, *_: int) -> None:
        if phase == "plan" and certified(house):
            house.follow()

    with pytest.raises(CheckpointMovedError, match="compared at position 20 and stand at 60"):
        onward(house, follow)
    assert house.schemas() == ["gold", "silver"]
    assert [entry.swapped for entry in PostgresCertificates(pool).latest(5)] == [False]
    assert house.read_model.verify(house.progress).equal


def test_live_tables_that_moved_before_the_proof_are_proved_where_they_stand_then(house: House) -> None:
    kill(house, "gold again")
    with closing(House(house.conninfo, house.gold)) as again:

        def follow(phase: str, *_: int) -> None:
            if phase == "gold" and again.read_model.position() == PROVED:
                fall_behind(again, 7, 8)
                again.follow()
                again.append(adjusted(PRODUCTS[0], 8, 12))

        rebuilt = onward(again, follow)
        moved = HEAD + len(PRODUCTS)
        assert (proof(rebuilt).equal, proof(rebuilt).position, rebuilt.position) == (True, moved, moved + 1)
        assert again.read_model.verify(again.progress).equal
        assert again.schemas() == LIVE_AND_OLD


PHASES = ["plan", "fold", "index", "gold", "certify", "plan again", "fold again", "index again", "gold again", "swap"]


@pytest.mark.parametrize(
    ("struck", "accepted"),
    [*((phase, False) for phase in PHASES), *((phase, True) for phase in PHASES[4:])],  # what was compared, and after
)
def test_killed_anywhere_it_is_run_again_and_nothing_is_left(house: House, struck: str, accepted: bool) -> None:
    if accepted:
        house.sql.execute("UPDATE silver.stock SET on_hand = 3 WHERE product_id = 'part 4'")
    kill(house, struck, accept_changes=accepted)
    assert house.query("SELECT swapped FROM replay.certificates") == [(False,)] * (struck in PHASES[5:])
    loaded = built_before(house)
    resumed = struck in PHASES[6:]
    assert (len(loaded) > 0) == resumed

    with closing(House(house.conninfo, house.gold)) as again:
        assert again.read_model.position() == PROVED
        fall_behind(again, 7, 8)
        rebuilt = onward(again, accept_changes=accepted)
        assert (rebuilt.swapped, proof(rebuilt).equal, proof(rebuilt).position) == (True, not accepted, PROVED)
        assert rebuilt.position == proof(rebuilt).built_on_to == (HEAD if resumed else HEAD + len(PRODUCTS))
        assert not resumed or {*loaded} <= {*again.query(DONE)}
        again.follow()
        assert again.read_model.verify(again.progress).equal
        assert again.schemas() == LIVE_AND_OLD
        assert len(builds(again)) == 2


@pytest.mark.parametrize("dropped", ["the one that was compared", "the one that was kept before"])
def test_killed_before_a_build_is_dropped_it_is_run_again_and_nothing_is_left(
    house: House, monkeypatch: pytest.MonkeyPatch, dropped: str
) -> None:
    if dropped == "the one that was kept before":
        house.read_model.rebuild(house.progress)
    original = planning.drop_build

    def struck(conn: Any, name: str) -> None:
        ((purpose,),) = house.query(f"SELECT max(purpose) FROM replay.builds WHERE name = '{name}'")
        if certified(house) and purpose == ("rebuild" if dropped == "the one that was compared" else "left"):
            monkeypatch.setattr(planning, "drop_build", original)
            cut_all_connections(house)
        original(conn, name)

    house.sql.execute("DELETE FROM replay.certificates")
    monkeypatch.setattr(planning, "drop_build", struck)
    with pytest.raises(ReadModelUnavailableError):
        onward(house)
    assert planning.drop_build is original
    assert len(house.schemas()) > 2

    with closing(House(house.conninfo, house.gold)) as again:
        rebuilt = onward(again)
        assert (rebuilt.swapped, rebuilt.position) == (True, HEAD)
        assert again.read_model.verify(again.progress).equal
        assert again.schemas() == LIVE_AND_OLD


@pytest.mark.parametrize("phase", ["certify", "gold"])
def test_interrupted_it_leaves_nothing(house: House, phase: str) -> None:
    kill(house, "fold again")

    def interrupt(now: str, *_: int) -> None:
        if now == phase:
            raise KeyboardInterrupt

    with closing(House(house.conninfo, house.gold)) as again:
        with pytest.raises(KeyboardInterrupt):
            onward(again, interrupt)
        assert again.schemas() == ["gold", "silver"]
        assert builds(again) == [("live", 0)]


def test_a_difference_that_came_after_it_was_killed_refuses_and_nothing_is_left(house: House) -> None:
    kill(house, "gold again")
    house.sql.execute("UPDATE silver.stock SET on_hand = 3 WHERE product_id = 'part 4'")
    with closing(House(house.conninfo, house.gold)) as again:
        assert not onward(again).swapped
        assert again.schemas() == ["gold", "silver"]
        assert builds(again) == [("live", 0)]


def test_what_was_left_far_behind_is_built_anew(house: House) -> None:
    kill(house, "gold again")
    with closing(House(house.conninfo, house.gold)) as again:
        fall_behind(again, 7, 9)
        assert onward(again).position == HEAD + 2 * len(PRODUCTS)
        assert again.read_model.verify(again.progress).equal
        assert again.schemas() == LIVE_AND_OLD


@pytest.mark.parametrize("follow", [False, True])
def test_what_was_left_is_of_use_to_others_where_the_live_tables_went_beyond_it_and_dropped_else(
    house: House, follow: bool
) -> None:
    kill(house, "gold again")
    loaded = built_before(house)
    with closing(House(house.conninfo, house.gold)) as again:
        if follow:
            again.follow()
        rebuilt = again.read_model.rebuild(again.progress, shards=4)
        assert (rebuilt.position, proof(rebuilt).equal) == (HEAD if follow else PROVED, True)
        assert ({*loaded} <= {*again.query(DONE)}) == follow
        assert again.schemas() == LIVE_AND_OLD


def test_tables_to_which_nothing_was_applied_are_built_for_the_first_time(house: House) -> None:
    house.sql.execute("DROP SCHEMA silver, gold CASCADE")
    house.read_model.create()
    rebuilt = onward(house)
    assert (rebuilt.swapped, rebuilt.position, rebuilt.certificate) == (True, HEAD, None)


def kill(house: House, struck: str, **more: Any) -> None:
    """Rebuild, and cut all connections in a phase, as they end with the process; again: after the comparison."""

    def strike(phase: str, done: int, total: int) -> None:
        begun = PROVED if certified(house) else 0
        half_done = phase != "fold" or begun < done < total
        if phase == struck.split(maxsplit=1)[0] and half_done and (begun > 0) == (struck in PHASES[5:]):
            cut_all_connections(house)

    with pytest.raises(ReadModelUnavailableError):
        onward(house, strike, **more)


def certified(house: House) -> bool:
    return bool(house.query("SELECT number FROM replay.certificates"))


def built_before(house: House) -> list[tuple[Any, ...]]:
    """Return the shards that are done of what was left of a build up to the end of the log."""
    left = f"SELECT name FROM replay.builds WHERE purpose = 'rebuild' AND position = {HEAD}"
    return house.query(f"SELECT number, done_at FROM replay.shards WHERE build = ({left}) AND done_at IS NOT NULL")
