"""Put programs in place: from the machine, from Debian's packages, into a cache that later starts use again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.services.process import run
from deploy.services.server import ServiceError


def cache() -> Path:
    """Return the folder of what was downloaded or built, outside the checkout."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dataflow-services"


def program(name: str, package: str) -> Path:
    """Return where the program `name` is; as root on Debian, its package is installed when it's missing.

    Raises:
        ServiceError: it's missing and can't be installed here.
    """
    if not (found := shutil.which(name)) and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-q", "-y", "update"], quiet)
        run(["apt-get", "-q", "-y", "install", "--no-install-recommends", package], quiet)
        found = shutil.which(name)
    if not found:
        raise ServiceError(f"the program {name} is missing: install the package {package} (or start Docker)")
    return Path(found)


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the cache's folder `name`, which `fill` writes the first time; never half of it."""
    folder = cache() / name
    if folder.exists():
        return folder
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        aside = Path(scratch) / "content"
        aside.mkdir()
        fill(aside)
        aside.rename(folder)
    return folder
