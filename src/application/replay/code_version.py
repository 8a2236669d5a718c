"""Which code this is: the release, and a digest of the sources that make events into rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

DISTRIBUTION = "dataflow-platform"
SUFFIXES = (".py", ".sql")


@lru_cache
def code_version(*packages: str) -> str:
    """Return `0.1.0+9c3f…`: equal for equal sources of the packages, whatever was released or committed.

    A changed fold or gold file is another version, also before anybody counts up the release.
    """
    digest = sha256()
    for package in packages:
        for path, source in sorted(_sources(files(package), package)):
            digest.update(path.encode() + b"\0" + source + b"\0")
    return f"{version(DISTRIBUTION)}+{digest.hexdigest()[:12]}"


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, inner)
        elif entry.name.endswith(SUFFIXES):
            yield inner, entry.read_bytes()
