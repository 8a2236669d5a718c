"""What every role lock promises, held against each adapter."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import psycopg
import pytest
from psycopg import sql

from adapters.memory.role_lock import MemoryRoleLock
from adapters.postgres.role_lock import PostgresRoleLock
from application.ports.event_store import StoreUnavailableError
from application.ports.role_lock import RoleLock, RoleLostError, RoleTakenError


@pytest.fixture(params=["memory", "postgres"])
def roles(request: pytest.FixtureRequest) -> RoleLock:
    if request.param == "memory":
        return MemoryRoleLock()
    return PostgresRoleLock(request.getfixturevalue("conninfo"))


def test_a_role_is_held_by_one_at_a_time(roles: RoleLock) -> None:
    with roles.hold("consume"), pytest.raises(RoleTakenError), roles.hold("consume"):
        pytest.fail("held twice")
    with roles.hold("consume"):
        pass


def test_a_role_that_is_held_passes_its_check(roles: RoleLock) -> None:
    with roles.hold("consume") as check, roles.hold("project") as other:
        check()
        other()
        check()


def test_roles_do_not_hinder_each_other(roles: RoleLock) -> None:
    with roles.hold("consume"), roles.hold("project"), pytest.raises(RoleTakenError), roles.hold("consume"):
        pytest.fail("held twice")


def test_a_shared_role_is_held_by_many_but_by_nobody_alone(roles: RoleLock) -> None:
    both = roles.hold("consume", shared=True), roles.hold("consume", shared=True)
    with both[0], both[1], pytest.raises(RoleTakenError), roles.hold("consume"):
        pytest.fail("held alone")
    with roles.hold("consume"), pytest.raises(RoleTakenError), roles.hold("consume", shared=True):
        pytest.fail("shared what is held alone")


def test_a_role_ends_with_an_error_of_its_holder(roles: RoleLock) -> None:
    with pytest.raises(ZeroDivisionError), roles.hold("consume"):
        raise ZeroDivisionError
    with roles.hold("consume"):
        pass


def test_a_role_whose_connection_ended_fails_its_check_and_is_free(conninfo: str) -> None:
    roles = PostgresRoleLock(conninfo)
    with roles.hold("consume") as check:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE %s",
                [f"dataflow consume (process {os.getpid()})"],
            ).fetchall()
        assert ended == [(True,)]
        with roles.hold("consume") as others:
            for _ in range(2):
                with pytest.raises(
                    RoleLostError, match=r"database .* role 'consume' ended, .* another process .* take it again"
                ):
                    check()
            others()


def test_a_server_that_goes_away_while_a_role_is_taken_is_away(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = psycopg.connect

    def cut_off(*arguments: Any, **more: Any) -> psycopg.Connection:
        connection = connect(*arguments, **more)
        with connect(conninfo, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        return connection

    monkeypatch.setattr(psycopg, "connect", cut_off)
    with pytest.raises(StoreUnavailableError), PostgresRoleLock(conninfo).hold("consume"):
        pytest.fail("held without a connection")


def test_a_role_that_says_nothing_for_long_is_not_taken_away(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        limit = sql.SQL("ALTER DATABASE {} SET idle_session_timeout = '100ms'")
        connection.execute(limit.format(sql.Identifier(connection.info.dbname)))
    with PostgresRoleLock(conninfo).hold("consume") as check:
        time.sleep(0.3)
        check()


HOLDER = """
import sys
from adapters.postgres.role_lock import PostgresRoleLock
with PostgresRoleLock(sys.argv[1]).hold("consume"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_role_names_its_process_and_ends_with_it_even_when_killed(conninfo: str) -> None:
    roles = PostgresRoleLock(conninfo)
    command = [sys.executable, "-c", HOLDER, conninfo]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RoleTakenError, match=rf"dataflow consume \(process {holder.pid}\)"), roles.hold("consume"):
            pytest.fail("held twice")
        os.kill(holder.pid, signal.SIGKILL)
    for _ in range(100):
        try:
            with roles.hold("consume"):
                return
        except RoleTakenError:
            continue
    pytest.fail("the role of a killed process is still held")
