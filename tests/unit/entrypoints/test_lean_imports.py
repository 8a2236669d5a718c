"""A module that counts as missing for a while can be imported afterwards."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

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


def test_a_command_loads_no_web_framework() -> None:
    code = "import sys, entrypoints.cli.main; print(*{'fastapi', 'starlette', 'streamlit', 'airflow'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
