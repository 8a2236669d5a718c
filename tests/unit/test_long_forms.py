"""The long form of a test is run by `make soak`, or nobody ever runs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONG = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "tests").rglob("test_*.py")
    if re.search(r"^from tests\.soak import", path.read_text(), re.MULTILINE)
)


@pytest.mark.parametrize("file", LONG)
def test_every_test_with_a_long_form_is_among_those_of_make_soak(file: str) -> None:
    (soak,) = re.findall(r"^\tDATAFLOW_SOAK=1 .*", (ROOT / "Makefile").read_text(), re.MULTILINE)
    run = [word for word in soak.split() if word.startswith("tests/")]
    assert any(file == each or file.startswith(f"{each}/") for each in run)
