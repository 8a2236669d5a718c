"""A worker process: loads missing shards of a build until none is left. Started by `workers`, on the same machine.

It is told on standard input what to do, prints a line of JSON for each shard done, and ends with whoever started it.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from threading import Thread

import msgspec

from adapters.postgres.read_model.loading import Loader
from application.projections.registry import SUBJECTS


@dataclass(frozen=True, slots=True)
class Order:
    """Which build to load shards of, in which database, and after what part of all shards to begin."""

    conninfo: str
    build: str
    begin: float = 0.0


def main() -> None:
    """Load shards; raises what stopped the last one."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    Thread(target=_end_with_the_other_side, daemon=True).start()
    with closing(Loader(order.conninfo, SUBJECTS)) as loader:
        while (done := loader.load_next(order.build, order.begin)) is not None:
            sys.stdout.buffer.write(msgspec.json.encode(asdict(done)) + b"\n")
            sys.stdout.buffer.flush()


def _end_with_the_other_side() -> None:
    """End at once when standard input is closed: the database takes back what was not committed."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
