"""What the documentation says of the tree is so: the paths that it names are there, and it names each part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
TOP = ("src", "tests", "docs", "dags", "dashboard", "deploy", "examples", "benchmarks")
LAYERS = ("domain", "application", "adapters", "entrypoints")
CODE = re.compile(r"`([\w./-]+)`")
LINK = re.compile(r"\]\(([\w./-]+?)(?:#[\w-]+)?\)")
ARCHITECTURE, CONTRIBUTING = ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"


def named_paths(text: str) -> Iterator[str]:
    """What is written as code and begins with a folder of the tree, or with a layer."""
    for name in CODE.findall(text):
        first, *others = name.split("/")
        if others and first in TOP + LAYERS:
            yield name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_are_named_exist(page: Path) -> None:
    named = set(named_paths(page.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not ((ROOT / name).exists() or (ROOT / "src" / name).exists())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = set(LINK.findall(page.read_text(encoding="utf-8")))
    assert [link for link in sorted(links) if not (page.parent / link).exists()] == []


def packages(*parts: str) -> set[str]:
    return {path.parent.name for path in ROOT.joinpath(*parts).glob("*/__init__.py")}


@pytest.mark.parametrize("layer", ["adapters", "application"])
def test_architecture_names_each_part_of_a_layer(layer: str) -> None:
    said = re.search(rf"^- \*\*{layer}\*\*:(.*?)(?=^- \*\*|^\w)", ARCHITECTURE.read_text(), re.DOTALL | re.MULTILINE)
    assert said is not None
    assert packages("src", layer) - set(CODE.findall(said[1])) == set()


def test_contributing_names_each_adapter_and_each_kind_of_test() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    adapters = re.search(r"^\| `src/adapters`.*$", text, re.MULTILINE)
    assert adapters is not None
    assert packages("src", "adapters") == set(CODE.findall(adapters[0])) - {"src/adapters", "application", "domain"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    assert folders == set(re.findall(r"^\| `tests/(\w+)`", text, re.MULTILINE))
