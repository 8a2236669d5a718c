"""What a command imports, and how: a module that counts as missing for a while can be imported afterwards."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from click import Context

from entrypoints.cli.main import MODULE_OF, cli
from entrypoints.lean_imports import without


def test_a_module_is_missing_within_and_there_again_afterwards() -> None:
    sys.modules.pop("colorsys", None)
    with without("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_is_loaded_already_stays() -> None:
    loaded = importlib.import_module("colorsys")
    with without("colorsys"):
        assert importlib.import_module("colorsys") is loaded


def test_a_figure_is_asked_for_without_what_other_commands_need() -> None:
    others = "{'airflow', 'duckdb', 'fastapi', 'prometheus_client', 'pydantic', 'starlette', 'streamlit', 'yaml'}"
    code = f"import sys, entrypoints.cli.answers; print(*{others} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_what_a_command_imports_is_not_looked_through_for_garbage() -> None:
    code = """
import gc
from click import Context
from entrypoints.cli.main import cli
frozen = []
gc.callbacks.append(lambda *_: frozen.append(gc.get_freeze_count()))
command = cli.get_command(Context(cli), "consume")
print(command.name, gc.isenabled(), all(frozen), gc.get_freeze_count() > 50_000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "consume True True True\n"


def test_garbage_is_looked_for_again_where_an_import_fails_and_not_where_it_was_not_before() -> None:
    code = """
import gc
from entrypoints.lean_imports import for_good
for enable in (gc.enable, gc.disable):
    for name in ("there_is_none", "colorsys"):
        enable()
        try:
            for_good(name)
        except ImportError as error:
            print(error.name, end=" ")
        print(gc.isenabled())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["there_is_none", "True", "True", "there_is_none", "False", "False"]


@pytest.mark.parametrize("name", MODULE_OF)
def test_every_command_is_found_where_it_is_said_to_be(name: str) -> None:
    command = cli.get_command(Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help
