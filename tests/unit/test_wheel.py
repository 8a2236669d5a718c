"""What is installed holds all that the commands open: whoever installs the wheel has no checkout beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "from setuptools import setup; setup(script_args=['--quiet', 'build_py', '--build-lib', 'built'])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel would be unpacked to; a copy is built, as building leaves files behind."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in ("src", "dashboard"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    subprocess.run([sys.executable, "-W", "ignore", "-c", BUILD], cwd=copy, check=True, capture_output=True, text=True)
    return copy / "built"


def files(folder: Path, above: Path) -> Iterator[str]:
    return (path.relative_to(above).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_file_beside_the_code_is_installed_with_it_and_nothing_else(installed: Path) -> None:
    copy = installed.parent
    code = {name for name in files(copy / "src", copy / "src") if ".egg-info/" not in name}
    pages = set(files(copy / "dashboard", copy))
    assert {"adapters/postgres/gold/fact_order.sql", "dashboard/static/countries.json"} <= code | pages
    assert set(files(installed, installed)) == code | pages


def test_the_installed_dashboard_is_the_one_that_is_served(installed: Path, tmp_path: Path) -> None:
    ask = "from entrypoints import page; print(page.PAGE); print(page._import_path())"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    served, path = done.stdout.splitlines()
    assert Path(served) == installed / "dashboard" / "app.py"
    assert path.split(os.pathsep)[0] == str(installed)
