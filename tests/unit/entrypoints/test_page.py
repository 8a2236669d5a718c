"""The page is a process of its own, and ends with whoever serves it."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from entrypoints import page
from entrypoints.settings import Settings
from tests.acceptance.home import free_port, until
from tests.acceptance.watched import STOP_SECONDS


def test_a_page_that_does_not_end_by_itself_does_not_hold_up_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stop = tmp_path / "begun", Event()
    deaf = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(begun)!r}).touch(); time.sleep(60)"
    )
    monkeypatch.setattr(page, "_command", lambda *_: [sys.executable, "-c", deaf])
    with ThreadPoolExecutor(1) as threads:
        serving = threads.submit(page.serve, Settings(tmp_path, dashboard_port=free_port()), stop)
        until(begun.exists, "its process does not begin")
        asked = time.monotonic()
        stop.set()
        serving.result()
    assert time.monotonic() - asked < STOP_SECONDS
