"""The HTTP side of a long-running command: `/live`, `/ready`, `/metrics`."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any, NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from entrypoints.monitoring.watch import LIVE_SECONDS, NotReadyError, Watch
from entrypoints.settings import SettingsError

log = logging.getLogger(__name__)
TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """What is answered to a request."""

    status: int
    body: bytes
    content_type: str = TEXT


def live(watch: Watch) -> Answer:
    """Answer 200 while the loop goes round, also where it waits for a server: a restart would not help then."""
    silence = watch.silence()
    if silence > LIVE_SECONDS:
        return _text(503, f"the loop has not gone round for {silence:.0f} s")
    return _text(200, "live")


def ready(watch: Watch) -> Answer:
    """Answer 200 while the command works and the database and the stream answer."""
    try:
        watch.ask()
    except NotReadyError as error:
        return _text(503, str(error))
    return _text(200, "ready")


def metrics(registry: CollectorRegistry) -> Answer:
    """Answer with all metrics in Prometheus' text format."""
    return Answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)


def pages(watch: Watch, registry: CollectorRegistry) -> dict[str, Callable[[], Answer]]:
    """Return what is answered under which path."""
    return {"/live": lambda: live(watch), "/ready": lambda: ready(watch), "/metrics": lambda: metrics(registry)}


@contextmanager
def served(host: str, port: int, answers: Mapping[str, Callable[[], Answer]]) -> Iterator[int]:
    """Serve while the context is open; give the port, a free one where 0 is asked for.

    Raises:
        SettingsError: the address can't be used.
    """

    class Handler(_Handler):
        pages = answers

    try:
        server = _Server((host, port), Handler)
    except OSError as error:
        raise SettingsError(
            f"DATAFLOW_HEALTH_HOST and DATAFLOW_HEALTH_PORT: {host}:{port} can't be used: {error}"
        ) from error
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="health", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what became of a request, instead of writing a traceback beside the logs."""
        if isinstance(error := sys.exception(), OSError):
            log.debug("%s did not wait for its answer: %s", client_address[0], error)
        else:
            log.error("a request of %s failed", client_address[0], exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    pages: Mapping[str, Callable[[], Answer]]
    timeout = 10

    def do_GET(self) -> None:
        """Answer one of the pages."""
        page = self.pages.get(self.path.partition("?")[0])
        status, body, content_type = page() if page else _text(404, f"there are {', '.join(self.pages)}")
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Log requests for whoever looks closely."""
        log.debug(format, *args)


def _text(status: int, line: str) -> Answer:
    return Answer(status, f"{' '.join(line.split())}\n".encode())
