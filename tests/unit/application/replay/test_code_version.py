"""The code's version follows the sources, not the release alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from application.replay.code_version import code_version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "made_up"
    (folder / "gold").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "gold" / "fact.sql").write_text("SELECT 1")
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    import_module("made_up")
    yield folder
    del sys.modules["made_up"]


def version_now() -> str:
    code_version.cache_clear()
    return code_version("made_up")


def test_a_changed_or_moved_source_is_another_version_and_back_again_the_same(package: Path) -> None:
    before = version_now()
    (package / "gold" / "fact.sql").write_text("SELECT 2")
    changed = version_now()
    (package / "gold" / "fact.sql").write_text("SELECT 1")
    assert changed != before == version_now()
    (package / "gold" / "fact.sql").rename(package / "fact.sql")
    assert version_now() not in {before, changed}


@pytest.mark.parametrize("backwards", [False, True])
def test_in_which_order_a_folder_lists_its_sources_makes_no_difference(
    package: Path, monkeypatch: pytest.MonkeyPatch, backwards: bool
) -> None:
    as_it_comes = version_now()
    listed = {folder: sorted(folder.iterdir(), reverse=backwards) for folder in (package, package / "gold")}
    with monkeypatch.context() as patched:
        patched.setattr(Path, "iterdir", lambda folder: iter(listed.get(folder, ())))
        assert version_now() == as_it_comes


def test_what_is_no_source_makes_no_difference(package: Path) -> None:
    before = version_now()
    (package / "__pycache__").mkdir(exist_ok=True)  # Python may have made it
    (package / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert version_now() == before
