"""Which servers run: build/services/services.json, the one place that the tests read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "services"
FILE = "services.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that was started: where it is and how to reach it.

    `pid` and `began` (seconds since 1970) name the process; both are None for a container.
    """

    name: str
    url: str
    port: int
    pid: int | None
    began: float | None
    log: str


def read(folder: Path = FOLDER) -> dict[str, Running]:
    """Return the servers on record by name; empty when none was started."""
    file = folder / FILE
    if not file.exists():
        return {}
    return {name: Running(name=name, **entry) for name, entry in json.loads(file.read_text()).items()}


def write(servers: dict[str, Running], folder: Path = FOLDER) -> None:
    """Put these servers on record, in one step; without any, there is no record."""
    file = folder / FILE
    if not servers:
        file.unlink(missing_ok=True)
        return
    entries = {
        name: {key: value for key, value in asdict(one).items() if key != "name"} for name, one in servers.items()
    }
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(entries, indent=2) + "\n")
    aside.replace(file)
