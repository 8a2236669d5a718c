"""Fulfilment that is killed at a given point of its second batch: `python -m tests.integration.struck_process`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from adapters.postgres.cases import PostgresCaseBook
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from application.ports.event_store import Batch, RecordedEvent
from application.process_runner.fulfilling import Fulfilling
from application.process_runner.runner import Runner

POINTS = ("deciding", "decided", "appending", "appended")
BATCH = 7


def strike() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class StruckStore(PostgresEventStore):
    """The real store, in a process that does not survive it."""

    point = ""
    appended = 0

    def load(self, stream_ids: Collection[str]) -> dict[str, list[RecordedEvent]]:
        if self.point == "deciding" and self.appended and stream_ids:
            strike()
        return super().load(stream_ids)

    def append(self, batch: Batch) -> None:
        if not batch.events or not self.appended:
            super().append(batch)
            self.appended += bool(batch.events)
            return
        if self.point == "decided":
            strike()
        super().append(replace(batch, after=strike) if self.point == "appending" else batch)
        strike()


def run(conninfo: str, point: str = "") -> int:
    """Run fulfilment to the end of the log, or to the point where it is killed; return what it acted on."""
    store = StruckStore(conninfo) if point else PostgresEventStore(conninfo)
    if isinstance(store, StruckStore):
        store.point = point
    with open_pool(conninfo) as pool:
        process = Fulfilling(store, batch_size=BATCH)
        done = Runner(process, store, PostgresCaseBook(pool), lambda: datetime.now(UTC)).run()
    store.close()
    return done


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2])
