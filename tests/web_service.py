"""A web server on the loopback that plays a service: well, slow, overloaded, broken or mad."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.http.limits import Limit, RateLimit
from adapters.http.service import Service

Play = Callable[[BaseHTTPRequestHandler], None]


class Asked(NamedTuple):
    """A request as it arrived."""

    path: str
    parameters: dict[str, str]
    headers: Mapping[str, str]


class WebService:
    """Plays what it is told: each answer once, the last one for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self._plays: list[Play] = []

    def plays(self, *plays: Play) -> None:
        self._plays = list(plays)

    def next(self) -> Play:
        return self._plays.pop(0) if len(self._plays) > 1 else self._plays[0]


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def answer(body: Any, status: int = 200, **headers: str) -> Play:
    """An answer in JSON; bytes go out as they are."""
    payload = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    sent = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(payload))}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in sent.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload)

    return play


def half(body: Any) -> Play:
    """Promise a whole answer, send half of it, and hang up."""
    payload = json.dumps(body).encode()
    return answer(payload[: len(payload) // 2], Content_Length=str(len(payload)))


def silence(handler: BaseHTTPRequestHandler) -> None:
    """Say nothing until the client is gone."""
    handler.rfile.read()


def drops(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, until the client is gone."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    pause = Event()
    while True:
        handler.wfile.write(b" ")
        pause.wait(0.02)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


@contextmanager
def web_service() -> Iterator[WebService]:
    """A server that ends with the context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            service.asked.append(Asked(unquote(parts.path), dict(parse_qsl(parts.query)), dict(self.headers)))
            with suppress(BrokenPipeError, ConnectionResetError):
                service.next()(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = WebService(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        server.shutdown()
        thread.join()


def asking(url: str, limits: tuple[Limit, ...] = (), time: Time | None = None, answer_seconds: float = 5.0) -> Service:
    """The service under test, with a clock of its own, so that no test waits."""
    time = time or Time()
    return Service(
        "example",
        url,
        RateLimit(limits, time.clock),
        "ops@example.com",
        answer_seconds=answer_seconds,
        clock=time.clock,
        sleep=time.sleep,
    )
