"""Readers of the dashboard without a browser: they speak its protocol, so that only the server's work is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE = 60.0


class Reader:
    """A session that shows one page; it refreshes when told to, as a browser's timer does."""

    def __init__(self, connection: ClientConnection, page: str, choice: dict[str, str]) -> None:
        self._connection = connection
        self._page, self._query = page, urlencode(choice)
        self._fragment = ""
        self.interval = 0.0

    def open(self) -> float:
        """Ask for the page; return the seconds until it was drawn."""
        return self._run(BackMsg())

    def refresh(self) -> float:
        """Ask for what refreshes by itself; return the seconds until it was drawn."""
        asked = BackMsg()
        asked.rerun_script.fragment_id = self._fragment
        asked.rerun_script.is_auto_rerun = True
        return self._run(asked)

    def _run(self, asked: BackMsg) -> float:
        asked.rerun_script.query_string = self._query
        asked.rerun_script.page_name = self._page
        started = time.perf_counter()
        self._connection.send(asked.SerializeToString())
        while True:
            message = ForwardMsg.FromString(_binary(self._connection.recv(PATIENCE)))
            kind = message.WhichOneof("type")
            if kind == "auto_rerun":
                self._fragment, self.interval = message.auto_rerun.fragment_id, message.auto_rerun.interval
            elif kind == "script_finished":
                return time.perf_counter() - started


@contextmanager
def readers(url: str, pages: Sequence[tuple[str, dict[str, str]]]) -> Iterator[list[Reader]]:
    """Open a session for each page and choice."""
    address = f"ws{url.removeprefix('http')}/_stcore/stream"
    with ExitStack() as stack:
        opened = [
            Reader(
                stack.enter_context(
                    connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None, proxy=None)
                ),
                *page,
            )
            for page in pages
        ]
        with ThreadPoolExecutor(len(opened)) as threads:
            list(threads.map(Reader.open, opened))
        yield opened


def refreshed(opened: Sequence[Reader], rounds: int) -> list[float]:
    """Let every session refresh so many times, each at its own moment of the interval; return the seconds of each."""
    with ThreadPoolExecutor(len(opened)) as threads:
        started = time.monotonic()
        shares = [at / len(opened) for at in range(len(opened))]
        taken = threads.map(lambda reader, share: _rounds(reader, share, started, rounds), opened, shares)
        return sorted(seconds for of_one in taken for seconds in of_one)


def _rounds(reader: Reader, share: float, started: float, rounds: int) -> list[float]:
    taken = []
    for at in range(rounds):
        time.sleep(max(0.0, started + (at + share) * reader.interval - time.monotonic()))
        taken.append(reader.refresh())
    return taken


def _binary(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()
