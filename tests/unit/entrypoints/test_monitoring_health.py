"""What `/live`, `/ready` and `/metrics` answer, and when."""

from __future__ import annotations

import http.client
import logging
import socket
import struct
import time
import urllib.error
import urllib.request
from threading import Event

import pytest
from prometheus_client import CollectorRegistry, Counter, Metric

from application.ports.event_store import StoreUnavailableError
from entrypoints.monitoring.health import Answer, live, pages, ready, served
from entrypoints.monitoring.watch import LIVE_SECONDS, NotReadyError, Probe, Watch
from entrypoints.settings import SettingsError


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_is_live_while_the_loop_goes_round() -> None:
    clock = Clock()
    watch = Watch(clock)
    clock.now += LIVE_SECONDS
    assert live(watch).status == 200
    clock.now += 1
    assert live(watch).status == 503
    assert b"has not gone round for 121 s" in live(watch).body
    watch.beat()
    assert live(watch).status == 200


def test_it_is_live_but_not_ready_where_a_server_is_away() -> None:
    clock = Clock()
    watch = Watch(clock)
    clock.now += LIVE_SECONDS + 1
    watch.away("the database does not answer")
    assert live(watch).status == 200
    assert ready(watch) == (503, b"the database does not answer\n", "text/plain; charset=utf-8")


def test_it_is_ready_once_at_work_and_its_servers_answer() -> None:
    watch = Watch()
    assert ready(watch)[:2] == (503, b"starting\n")
    watch.working(list)
    assert ready(watch)[:2] == (200, b"ready\n")


def test_it_is_not_ready_where_the_question_fails() -> None:
    def question() -> list[Metric]:
        raise StoreUnavailableError("the database does not answer")

    watch = Watch()
    watch.working(question)
    assert ready(watch)[:2] == (503, b"the database does not answer\n")


def test_a_question_that_hangs_is_asked_once_and_not_waited_for() -> None:
    go_on, asked = Event(), []

    def question() -> list[Metric]:
        asked.append(1)
        go_on.wait(10)
        return [Metric("answer", "", "gauge")]

    probe = Probe(question, patience=0.01)
    for _ in range(3):
        with pytest.raises(NotReadyError, match=r"no answer within 0\.01 s"):
            probe.ask()
    assert len(asked) == 1
    go_on.set()
    patient = Probe(question, patience=10)
    assert [metric.name for metric in patient.ask()] == ["answer"]


def test_the_pages_are_served_under_their_paths() -> None:
    watch, registry = Watch(), CollectorRegistry()
    watch.working(list)
    Counter("things", "Things.", registry=registry).inc(3)
    with served("127.0.0.1", 0, pages(watch, registry)) as port:
        assert get(port, "/live") == (200, "live\n")
        assert get(port, "/ready?verbose=1") == (200, "ready\n")
        assert "things_total 3.0" in get(port, "/metrics")[1]
        assert get(port, "/") == (404, "there are /live, /ready, /metrics\n")
        watch.away("gone")
        assert get(port, "/ready") == (503, "gone\n")


def test_a_port_in_use_is_named() -> None:
    with (
        served("127.0.0.1", 0, {}) as port,
        pytest.raises(SettingsError, match=rf"DATAFLOW_HEALTH_PORT: 127\.0\.0\.1:{port} can't be used"),
        served("127.0.0.1", port, {}),
    ):
        pass


def logged(text: str, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Return the record that says something, which a thread of the server writes."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := [record for record in caplog.records if text in record.getMessage()]:
            return found[0]
        time.sleep(0.01)
    raise AssertionError(f"{text!r} was not logged")


def test_who_asks_and_hangs_up_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    gone = Event()

    def slow() -> Answer:
        gone.wait(10)
        return Answer(200, b"slow\n" * 100_000)

    with served("127.0.0.1", 0, {"/slow": slow}) as port:
        with socket.create_connection(("127.0.0.1", port), 5) as asking:
            asking.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
            time.sleep(0.2)
            # Reset, as by whoever ran out of patience.
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.set()
        assert logged("127.0.0.1 did not wait for its answer", caplog).levelno == logging.DEBUG
    assert capfd.readouterr().err == ""


def test_an_answer_that_fails_is_logged_once(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with served("127.0.0.1", 0, {"/odd": lambda: Answer(1 // 0, b"")}) as port:
        with pytest.raises(http.client.RemoteDisconnected):
            get(port, "/odd")
        record = logged("a request of 127.0.0.1 failed", caplog)
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert capfd.readouterr().err == ""


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_is_served_on_ipv6_where_the_host_is_one() -> None:
    with (
        served("::1", 0, {"/": lambda: Answer(200, b"six\n")}) as port,
        urllib.request.urlopen(f"http://[::1]:{port}/", timeout=5) as response,
    ):
        assert response.read() == b"six\n"


def test_the_port_is_free_again_afterwards() -> None:
    with served("127.0.0.1", 0, {}) as port:
        pass
    with served("127.0.0.1", port, {}) as again:
        assert again == port


def test_a_long_step_beats_by_itself_and_no_longer_than_it_takes() -> None:
    now = [0.0]
    watch = Watch(lambda: now[0])
    with watch.beating(0.01):
        now[0] = 500.0
        deadline = time.monotonic() + 10
        while watch.silence() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert watch.silence() == 0
    time.sleep(0.05)
    now[0] = 1_000.0
    time.sleep(0.05)
    assert watch.silence() == 500
