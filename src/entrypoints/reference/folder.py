"""Files of a generated folder: write them all, or say where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write(folder: Path, expected: Mapping[str, str]) -> None:
    """Write the files (path below the folder, content), and remove all others from the folder."""
    for name in _present(folder) - expected.keys():
        (folder / name).unlink()
    for name, content in expected.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def differences(folder: Path, expected: Mapping[str, str]) -> list[str]:
    """Return one line for each file of the folder that is missing, outdated, or not expected."""
    present = _present(folder)
    found = dict.fromkeys(present - expected.keys(), "should not be there")
    found |= dict.fromkeys(expected.keys() - present, "is missing")
    for name in present & expected.keys():
        if (folder / name).read_text(encoding="utf-8") != expected[name]:
            found[name] = "differs from the code"
    return [f"{name}: {found[name]}" for name in sorted(found)]


def _present(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
