"""A module that counts as missing for a while can be imported afterwards."""

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


@pytest.mark.parametrize("name", MODULE_OF)
def test_every_command_is_found_where_it_is_said_to_be(name: str) -> None:
    command = cli.get_command(Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help
