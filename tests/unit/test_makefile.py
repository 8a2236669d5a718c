"""No test is run by nobody: the long form of one by `make soak`, and what `make test` leaves out by another target."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONG = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "tests").rglob("test_*.py")
    if re.search(r"^from tests\.soak import", path.read_text(), re.MULTILINE)
)


def words(target: str) -> list[str]:
    """Return the words of a target's last command, which runs pytest."""
    # Not as a part of the make that runs the tests, if one does.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-n", target], cwd=ROOT, env=outside, capture_output=True, text=True, check=True)
    found = done.stdout.splitlines()[-1].split()
    assert "pytest" in found
    return found


def is_among(file: str, paths: list[str]) -> bool:
    return any(file == each or file.startswith(f"{each}/") for each in paths)


@pytest.mark.parametrize("file", LONG)
def test_every_test_with_a_long_form_is_among_those_of_make_soak(file: str) -> None:
    assert is_among(file, [word for word in words("soak") if word.startswith("tests/")])


def test_what_make_test_leaves_out_is_run_by_make_test_faults_and_by_ci() -> None:
    run = words("test")
    (left_out,) = [run[at + 1] for at, word in enumerate(run) if word == "--ignore"]
    assert left_out in words("test-faults")
    assert list((ROOT / left_out).glob("test_*.py"))
    assert "make test-faults" in (ROOT / ".ci" / "run").read_text()
