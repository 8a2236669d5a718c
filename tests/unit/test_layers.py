"""The layers, beyond what import contracts can say of packages and drivers that nobody thought of yet."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
ADAPTERS = {f"adapters.{path.parent.name}" for path in (ROOT / "src" / "adapters").glob("*/__init__.py")}
WIRING = {"container.py", "feeds.py", "services.py"}


def imported(file: Path) -> Iterator[str]:
    """Give the packages that a file imports, also within functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(("layer", "allowed"), [("domain", set()), ("application", {"domain", "msgspec"})])
def test_a_layer_imports_the_standard_library_and_what_it_may(layer: str, allowed: set[str]) -> None:
    known = sys.stdlib_module_names | {layer} | allowed
    for file in (ROOT / "src" / layer).rglob("*.py"):
        assert set(imported(file)) <= known, file


def test_every_contract_of_a_driver_is_for_all_other_adapters() -> None:
    for contract in CONTRACTS:
        own = re.search(r"only in (adapters\.\w+)", contract["name"])
        if own:
            assert set(contract["source_modules"]) == ADAPTERS - {own[1]} | {"entrypoints"}, contract["name"]
        elif contract["type"] == "independence":
            assert set(contract["modules"]) == ADAPTERS, contract["name"]


def test_adapters_are_chosen_where_the_platform_is_wired_and_nowhere_else() -> None:
    importing = {
        file.relative_to(ROOT / "src" / "entrypoints").as_posix()
        for file in (ROOT / "src" / "entrypoints").rglob("*.py")
        if "adapters" in imported(file)
    }
    # The reference reads gold's definitions; a service tells the error of another log from an outage.
    assert importing - {"reference/tables.py", "monitoring/running.py"} == WIRING
