"""Rebuilds of all kinds in any order, killed anywhere: live, kept and as of a position, tables are the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from adapters.postgres.database import open_pool
from adapters.postgres.read_model.builds import PostgresBuilds
from application.ports.builds import BuildExistsError
from application.ports.read_model import NothingKeptError, ReadModelUnavailableError
from application.replay import lag
from application.replay.certificate import Rebuilt
from application.replay.follower import Follower
from tests.integration.test_read_model import SUBJECT, House, adjusted, received
from tests.integration.test_rebuild import cut_all_connections
from tests.soak import SOAK

SEEDS = range(1, 40 if SOAK else 4)
STEPS = 30 if SOAK else 14
PRODUCTS = [f"part {number}" for number in range(6)]
PHASES = ("plan", "fold", "index", "gold", "certify", "catch up", "swap")
Fact = tuple[str, int, Decimal, int]


class Rebuilds:
    """A log, what should follow from it at any position, and what may be done with read models."""

    def __init__(self, house: House, random: Random) -> None:
        """Take over a house, which is another one after each kill."""
        self._house = house
        self._random = random
        self._log: list[tuple[str, int]] = []
        self._kept: dict[str, int] = {}
        self._strike: str | None = None

    def append(self) -> None:
        events = []
        for _ in range(self._random.randint(1, 20)):
            product, level = self._random.choice(PRODUCTS), self._random.randint(0, 50)
            self._log.append((product, level))
            version = sum(name == product for name, _ in self._log)
            events.append(received(product, level) if version == 1 else adjusted(product, version, level))
        self._house.append(*events)

    def follow(self) -> None:
        Follower(self._house.store, self._house.read_model, self._random.randint(1, 10)).step()

    def rebuild(self) -> None:
        self._require_equal(self._house.read_model.rebuild(self._progress, shards=self._random.randint(1, 4)))

    def rebuild_onward(self) -> None:
        shards, head = self._random.randint(1, 4), len(self._log)
        rebuilt = self._house.read_model.rebuild(self._progress, shards=shards, onward=True)
        self._require_equal(rebuilt)
        assert not lag.far_behind(rebuilt.position, head)
        assert rebuilt.certificate is None or rebuilt.certificate.built_on_to == rebuilt.position

    def verify(self) -> None:
        assert self._house.read_model.verify(self._progress).equal
        self._require_nothing_left()

    def swap_back(self) -> None:
        with suppress(NothingKeptError):
            assert self._house.read_model.swap_back(self._progress).swapped

    def keep(self) -> None:
        name, position = self._random.choice("abc"), self._random.randint(1, len(self._log))
        with self._builds() as builds, suppress(BuildExistsError):
            builds.make(name, position, self._progress)
            self._kept[name] = position

    def drop(self) -> None:
        with self._builds() as builds:
            for build in builds.all():
                if build.purpose == "as-of" and self._random.random() < 0.5:
                    builds.drop(build.name)
                    self._kept.pop(build.name, None)

    def kill(self, step: Callable[[], None]) -> None:
        """Do something that is killed in some phase, if it comes there; then all of it is another process."""
        self._strike = self._random.choice(PHASES)
        with suppress(ReadModelUnavailableError):
            step()
        self._strike = None
        cut_all_connections(self._house)
        self._house.close()
        self._house = House(self._house.conninfo, self._house.gold)

    def close(self) -> None:
        self._house.close()

    def check(self) -> None:
        """Hold live tables, and what is kept, against the log."""
        position = self._house.read_model.position()
        assert self._house.facts() == self._expected(position)
        assert self._house.query("SELECT count(*) FROM silver.movements") == [(position,)]
        for name, at in self._kept.items():
            rows = f"SELECT product_id, on_hand, value, movements FROM gold_{name}.fact_stock ORDER BY 1"
            assert self._house.query(rows) == self._expected(at)

    def _require_nothing_left(self) -> None:
        names = {name.split("_", 1)[1] for name in self._house.schemas() if "_" in name}
        assert names <= {"old", *"abc"}
        noted = {name for (name,) in self._house.query("SELECT name FROM replay.builds WHERE purpose <> 'live'")}
        assert noted == names

    @contextmanager
    def _builds(self) -> Iterator[PostgresBuilds]:
        with open_pool(self._house.conninfo, size=1) as pool:
            yield PostgresBuilds(self._house.conninfo, pool, [SUBJECT], self._house.gold)

    def _expected(self, position: int) -> list[Fact]:
        facts: dict[str, Fact] = {}
        for product, level in self._log[:position]:
            _, _, _, movements = facts.get(product, (product, 0, Decimal(0), 0))
            facts[product] = (product, level, level * Decimal("2.50"), movements + 1)
        return [facts[product] for product in sorted(facts)]

    def _progress(self, phase: str, *_: int) -> None:
        if phase == self._strike and self._random.random() < 0.5:
            self._strike = None
            cut_all_connections(self._house)

    def _require_equal(self, rebuilt: Rebuilt) -> None:
        assert rebuilt.swapped
        assert rebuilt.certificate is None or rebuilt.certificate.equal
        self._require_nothing_left()


@pytest.fixture(params=SEEDS)
def random(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)  # noqa: S311 - reproducible on purpose


@pytest.fixture
def rebuilds(conninfo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random: Random) -> Iterator[Rebuilds]:
    monkeypatch.setattr(lag, "WORTH_BUILDING", 20)
    with closing(Rebuilds(House.in_folder(conninfo, tmp_path), random)) as rebuilds:
        yield rebuilds


def test_whatever_is_done_in_whatever_order_all_tables_are_the_log(rebuilds: Rebuilds, random: Random) -> None:
    mortal = (
        rebuilds.rebuild,
        rebuilds.rebuild_onward,
        rebuilds.rebuild_onward,
        rebuilds.verify,
        rebuilds.swap_back,
        rebuilds.keep,
    )
    rebuilds.append()
    for _ in range(STEPS):
        if random.random() < 0.5:
            random.choice((rebuilds.append, rebuilds.append, rebuilds.follow, rebuilds.drop))()
        elif random.random() < 0.5:
            rebuilds.kill(random.choice(mortal))
        else:
            random.choice(mortal)()
        rebuilds.check()
    rebuilds.rebuild()
    rebuilds.swap_back()
    rebuilds.verify()
    rebuilds.check()
