"""A machine that is gone without a word: the other side finds out within a minute, and locks are free again.

Nobody can be cut off here; but the kernel tells when it looks next whether the other side of a connection is there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.database import ALIVE, kept_alive
from adapters.postgres.read_model.session import only_rebuild
from entrypoints.cli.context import platform
from entrypoints.settings import Settings
from tests.postgres_server import fresh_database

TABLE = Path("/proc/net/tcp")
KEEPALIVE = "02"
HERTZ = 100
"""In which the kernel tells times, whatever its own clock."""
SESSIONS = (
    "SELECT client_port, EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND locktype = 'advisory')"
    " FROM pg_stat_activity a WHERE datname = current_database() AND client_port > 0 AND pid <> pg_backend_pid()"
)
"""The port of each session, and whether it holds a lock while it says nothing."""

pytestmark = pytest.mark.skipif(not TABLE.exists(), reason="only Linux tells when it looks next")


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


def next_looks(port: int) -> dict[str, float]:
    """Return in how many seconds each side of a connection looks whether the other one is there."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = {}
        for row in TABLE.read_text().splitlines()[1:]:
            _, local, remote, _, _, timer, *_ = row.split()
            kind, _, left = timer.partition(":")
            for side, place in (("client", local), ("server", remote)):
                if int(place.partition(":")[2], 16) == port and kind == KEEPALIVE:
                    found[side] = int(left, 16) / HERTZ
        if len(found) == 2:
            return found
        time.sleep(0.01)
    pytest.fail(f"no connection from port {port} at rest")


def test_both_sides_of_a_connection_notice_soon_that_the_other_one_is_gone(url: str, tmp_path: Path) -> None:
    with platform(Settings(tmp_path, url)) as container:
        container.event_store().head()
        container.inbox().positions()
        container.read_model().position()
        with (
            container.roles().hold("project"),
            only_rebuild(container.database()),
            psycopg.connect(url) as watching,
        ):
            sessions = dict(watching.execute(SESSIONS).fetchall())
            looks = {port: next_looks(port) for port in sessions}
    assert list(sessions.values()).count(True) == 2
    assert len(sessions) >= 5
    assert max(sides["client"] for sides in looks.values()) <= ALIVE["keepalives_idle"]
    assert max(looks[port]["server"] for port, holds in sessions.items() if holds) <= ALIVE["keepalives_idle"]


def test_what_a_connection_string_says_of_it_counts() -> None:
    said = conninfo_to_dict(kept_alive("postgresql://somebody@db/platform?keepalives_idle=5&tcp_user_timeout=0"))
    assert said["keepalives_idle"] == "5"
    assert said["tcp_user_timeout"] == "0"
    assert said["keepalives_count"] == "3"
    assert (said["host"], said["user"], said["dbname"]) == ("db", "somebody", "platform")
