"""Data folders for the acceptance tests."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.home import Home

PAST = ("--orders", 60, "--days", 40, "--seed", 5, "--start", "2026-01-05", "--duplicates", 0.05, "--broken", 0.02)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An empty data folder."""
    with closing(Home(tmp_path / "home")) as home:
        yield home


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A data folder with a small past, taken in and projected, for tests that only read."""
    with closing(Home(tmp_path_factory.mktemp("shop") / "home").keep_server()) as home:
        home.do("generate", *PAST)
        home.do("consume", "--once")
        home.do("project", "--once")
        yield home
