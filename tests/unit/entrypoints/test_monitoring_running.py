"""A command that outlives its servers: what it tries again after, and what it gives up at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from adapters.postgres.log_identity import OtherLogError
from application.errors import PlatformError
from application.ports.event_store import StoreUnavailableError
from application.ports.message_stream import RecreatedTopicError, StreamUnavailableError
from application.ports.read_model import ReadModelUnavailableError
from application.ports.role_lock import Check, RoleLostError, RoleTakenError
from entrypoints.monitoring import running
from entrypoints.monitoring.metrics import Metrics
from entrypoints.monitoring.running import Service
from entrypoints.monitoring.watch import NotReadyError, Watch
from entrypoints.settings import Settings


class Platform:
    """Opens with the errors given, one after the other; None: it opens."""

    def __init__(self, *opening: PlatformError | None) -> None:
        self.opening = list(opening)
        self.opened = self.closed = 0

    def settings(self) -> Settings:
        return Settings()

    def roles(self) -> Platform:
        return self

    @contextmanager
    def hold(self, role: str, *, shared: bool) -> Iterator[Check]:
        assert role == "consume"
        error = self.opening.pop(0) if self.opening else None
        if error is not None:
            raise error
        yield lambda: None

    @contextmanager
    def open(self, _settings: Settings) -> Iterator[Platform]:
        self.opened += 1
        yield self
        self.closed += 1


class NoWait(Event):
    """A stop that is not waited for."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watch]:
    def start(platform: Platform, *working: PlatformError | None, stop: Event | None = None) -> Watch:
        left = list(working)

        def work(_: Any, check: Check) -> None:
            check()
            error = left.pop(0)
            if error is not None:
                raise error

        monkeypatch.setattr(running, "platform", platform.open)
        watch = Watch()
        Service(Settings(), "consume", stop or NoWait(), watch, Metrics(watch)).run(work)
        assert left == []
        return watch

    return start


@pytest.mark.parametrize(
    "error", [StoreUnavailableError, StreamUnavailableError, ReadModelUnavailableError, RoleLostError]
)
def test_it_opens_everything_anew_after_an_outage(run: Callable[..., Watch], error: type[PlatformError]) -> None:
    platform = Platform()
    run(platform, error("gone"), error("gone again"), None)
    assert platform.opened == 3


def test_it_waits_for_servers_that_are_away_at_its_start(run: Callable[..., Watch]) -> None:
    platform = Platform(StoreUnavailableError("not up yet"), StoreUnavailableError("not up yet"))
    run(platform, None)
    assert platform.opened == 3


def test_a_role_that_another_process_holds_ends_it_at_its_start(run: Callable[..., Watch]) -> None:
    with pytest.raises(RoleTakenError):
        run(Platform(RoleTakenError("taken")))


def test_its_own_old_lock_passes_after_an_outage(run: Callable[..., Watch]) -> None:
    platform = Platform(None, RoleTakenError("taken by the connection that was lost"))
    run(platform, StoreUnavailableError("gone"), None)
    assert platform.opened == 3


@pytest.mark.parametrize("error", [OtherLogError, RecreatedTopicError])
def test_another_log_after_an_outage_ends_it(run: Callable[..., Watch], error: type[PlatformError]) -> None:
    with pytest.raises(error):
        run(Platform(None, error("created anew")), StoreUnavailableError("gone"))


def test_an_error_of_the_work_itself_ends_it(run: Callable[..., Watch]) -> None:
    with pytest.raises(PlatformError, match="can't be decoded"):
        run(Platform(), StoreUnavailableError("gone"), PlatformError("event 7 can't be decoded"))


def test_a_stop_during_an_outage_ends_it_without_an_error(
    run: Callable[..., Watch], caplog: pytest.LogCaptureFixture
) -> None:
    stop = NoWait()
    stop.set()
    run(Platform(), StoreUnavailableError("gone"), stop=stop)
    assert caplog.records == []


def test_an_outage_is_one_line_that_says_what_happens_next(
    run: Callable[..., Watch], caplog: pytest.LogCaptureFixture
) -> None:
    run(Platform(), StoreUnavailableError("the server\n  went away"), None)
    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.getMessage().endswith("s and tries again: the server went away")
    assert record.__dict__["error"] == "StoreUnavailableError"


def test_it_is_not_ready_once_its_work_has_ended(run: Callable[..., Watch]) -> None:
    watch = run(Platform(), None)
    with pytest.raises(NotReadyError, match="stopping"):
        watch.ask()


@pytest.mark.parametrize(("done", "code"), [(True, 0), (False, 1)])
def test_a_stop_ends_the_process_even_where_a_server_hangs(done: bool, code: int) -> None:
    hanging = (
        "import threading, entrypoints.monitoring.running as running\n"
        "stop = threading.Event(); stop.set()\n"
        "with running.ending_in_time(stop, 0.1, done=" + f"{done}):\n"
        "    threading.Event().wait()\n"
    )
    ended = subprocess.run([sys.executable, "-c", hanging], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == code
    assert "ending without waiting" in ended.stderr
