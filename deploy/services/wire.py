"""One question and its answer over a plain socket: no client library is needed to see that a server is up."""

from __future__ import annotations

import socket
from collections.abc import Callable

from deploy.services.server import HOST

_SECONDS = 2.0


def exchange(port: int, request: bytes, whole: Callable[[bytes], bool]) -> bytes:
    """Send `request` to the port and return the answer once it is `whole`; empty if nobody answers."""
    answer = b""
    try:
        with socket.create_connection((HOST, port), _SECONDS) as connection:
            connection.sendall(request)
            while not whole(answer) and (received := connection.recv(65_536)):
                answer += received
    except OSError:
        return b""
    return answer if whole(answer) else b""
