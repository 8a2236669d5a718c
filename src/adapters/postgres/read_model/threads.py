"""Work in threads, each on a connection: an interruption, which the main thread alone gets, ends it as well."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection

_AGAIN_SECONDS = 0.2
"""How long work is waited for before it is cancelled again: it may have been between two statements."""
_CANCEL_SECONDS = 5.0


@contextmanager
def ended_if_interrupted(works: Collection[Future[Any]], conns: Collection[Connection]) -> Iterator[None]:
    """Cancel what threads do on these connections where an interruption comes within; go on once they have ended."""
    try:
        yield
    except KeyboardInterrupt:
        for work in works:
            work.cancel()
        while not all(work.done() for work in works):
            for conn in conns:
                with suppress(psycopg.Error):
                    conn.cancel_safe(timeout=_CANCEL_SECONDS)
            wait(works, _AGAIN_SECONDS)
        raise
