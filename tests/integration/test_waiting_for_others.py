"""Whoever holds the checkpoint and does nothing is named to those who wait for it, and is not waited for for ever."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from adapters.postgres import locks
from adapters.postgres.read_model import schemas, swap, waiting
from adapters.postgres.read_model.session import connect, only_rebuild
from application.ports.read_model import HeldByOthersError, ReadersInTheWayError, RebuildRunningError
from entrypoints.monitoring.running import AWAY
from tests.acceptance.home import until
from tests.integration.test_read_model import LIVE_AND_OLD, STOCKED, House, adjusted, received

HOLD = "UPDATE events.notification_tracking SET notification_id = notification_id"
NAME = "somebody who froze"
HELD = "SELECT FROM pg_locks WHERE NOT granted"


@pytest.fixture
def house(conninfo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house whose read models are an event before the end of the log; a build is kept, nobody has much patience."""
    house = House.in_folder(conninfo, tmp_path)
    house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9), adjusted("bolt", 3, 8))
    house.follow()
    assert house.read_model.rebuild(house.progress).swapped
    house.append(adjusted("bolt", 4, 6))
    monkeypatch.setattr(waiting, "SAY_SECONDS", 0.1)
    monkeypatch.setattr(waiting, "PATIENCE", 0.6)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.05)
    yield house
    house.close()


@pytest.fixture
def frozen(house: House) -> Iterator[psycopg.Connection]:
    """A session that holds the checkpoint, and does nothing."""
    with closing(psycopg.connect(house.conninfo, application_name=NAME)) as conn:
        conn.execute(HOLD)
        yield conn


def rebuild(house: House) -> None:
    house.read_model.rebuild(house.progress)


def verify(house: House) -> None:
    house.read_model.verify(house.progress)


def swap_back(house: House) -> None:
    house.read_model.swap_back(house.progress)


def follow(house: House) -> None:
    assert house.follow() == 1


@pytest.mark.parametrize("wait", [rebuild, verify, swap_back, follow])
def test_who_holds_the_checkpoint_and_does_nothing_is_named_and_ends_the_wait(
    house: House, frozen: psycopg.Connection, caplog: pytest.LogCaptureFixture, wait: Callable[[House], None]
) -> None:
    pid = frozen.info.backend_pid
    ((since,),) = house.query(
        "SELECT to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        f" FROM pg_stat_activity WHERE pid = {pid}"
    )
    who = f"session {pid} ({NAME}), in a transaction since {since} UTC, idle in transaction"
    with caplog.at_level(logging.WARNING), pytest.raises(HeldByOthersError) as refused:
        wait(house)
    assert caplog.messages == [f"waiting for the checkpoint of the read models, which others hold: {who}"]
    assert who in str(refused.value)
    assert f"SELECT pg_terminate_backend({pid})" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, AWAY), "a follower tries again"
    assert (house.facts(), house.schemas()) == (STOCKED, LIVE_AND_OLD)
    frozen.rollback()
    wait(house)


def test_who_holds_the_checkpoint_and_works_is_waited_for_as_long_as_it_takes(
    house: House, frozen: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        frozen.execute("SELECT pg_sleep(2)")
        frozen.commit()

    worker = threading.Thread(target=work)
    worker.start()
    with caplog.at_level(logging.WARNING):
        assert house.read_model.rebuild(house.progress).swapped
    worker.join()
    assert f"({NAME})" in caplog.text
    assert "active" in caplog.text


def test_who_goes_on_from_statement_to_statement_works(house: House, frozen: psycopg.Connection) -> None:
    over = threading.Event()

    def work() -> None:
        for _ in range(10):
            frozen.execute("SELECT 1")
            over.wait(0.2)
        frozen.commit()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert house.read_model.rebuild(house.progress).swapped
    finally:
        over.set()
        worker.join()


def test_who_froze_within_a_copy_does_nothing(house: House, frozen: psycopg.Connection) -> None:
    copy = frozen.cursor().copy("COPY gold.kpi_policy FROM STDIN")
    copy.__enter__()
    with pytest.raises(HeldByOthersError, match=rf"session {frozen.info.backend_pid} \({NAME}\), .* UTC, active\. Let"):
        verify(house)


def test_a_wait_can_be_interrupted(house: House, frozen: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 60.0)

    def interrupt() -> None:
        until(lambda: house.query(HELD), "the rebuild does not wait")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        rebuild(house)
    interrupter.join()
    assert house.schemas() == LIVE_AND_OLD
    frozen.rollback()


def test_who_keeps_the_holder_waiting_is_named(house: House, frozen: psycopg.Connection) -> None:
    with closing(psycopg.connect(house.conninfo, application_name="at the root")) as root:
        root.execute("LOCK TABLE gold.kpi_policy")

        def blocked() -> None:
            frozen.execute("SELECT FROM gold.kpi_policy")

        holder = threading.Thread(target=blocked)
        holder.start()
        until(lambda: house.query(HELD), "the holder does not wait")
        with pytest.raises(HeldByOthersError, match=rf"session {root.info.backend_pid} \(at the root\)") as refused:
            house.follow()
        assert NAME not in str(refused.value)
        root.rollback()
        holder.join()


def test_who_froze_while_it_made_the_first_tables_is_named(house: House, frozen: psycopg.Connection) -> None:
    frozen.execute("SELECT pg_advisory_xact_lock(%s)", [locks.READ_MODEL_CREATION])
    with pytest.raises(HeldByOthersError, match=rf"^the making of .* session {frozen.info.backend_pid} \({NAME}\)"):
        house.read_model.create()
    frozen.rollback()
    house.read_model.create()


@pytest.mark.parametrize(
    "hold", ["SELECT FROM gold.fact_stock", "LOCK TABLE gold.fact_stock IN SHARE UPDATE EXCLUSIVE MODE"]
)
@pytest.mark.parametrize("wait", [rebuild, swap_back])
def test_who_reads_what_is_to_be_swapped_is_named(
    house: House, monkeypatch: pytest.MonkeyPatch, hold: LiteralString, wait: Callable[[House], None]
) -> None:
    monkeypatch.setattr(swap, "PATIENCE", 0.3)
    with closing(psycopg.connect(house.conninfo, application_name=NAME)) as reader:
        reader.execute(hold)
        pid = reader.info.backend_pid
        who = rf"session {pid} \({NAME}\), in a transaction since 20.* UTC, idle in transaction$"
        with pytest.raises(ReadersInTheWayError, match=rf"^Long .* Nothing was changed\. They are held by {who}"):
            wait(house)
    assert (house.facts(), house.schemas()) == (STOCKED, LIVE_AND_OLD)


def test_who_reads_what_is_to_be_dropped_is_named(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schemas, "PATIENCE", 0.3)
    with closing(psycopg.connect(house.conninfo, application_name=NAME)) as reader:
        reader.execute("SELECT FROM gold_old.fact_stock")
        with caplog.at_level(logging.WARNING):
            assert house.read_model.rebuild(house.progress).swapped
        who = f"end these first: session {reader.info.backend_pid} ({NAME}), in a transaction since "
        assert who in caplog.text


@pytest.mark.parametrize("refused", [rebuild, verify, swap_back])
def test_who_runs_the_rebuild_that_keeps_others_out_is_named(house: House, refused: Callable[[House], None]) -> None:
    with only_rebuild(house.conninfo) as running:
        pid = running.info.backend_pid
        who = rf"session {pid} \(dataflow read models \(process {os.getpid()}\)\), since 20.* UTC$"
        with pytest.raises(RebuildRunningError, match=rf"^Another rebuild .* wait for its end\. It is that of {who}"):
            refused(house)
    refused(house)


def test_a_session_of_the_read_models_says_of_which_process_it_is(house: House) -> None:
    with closing(connect(house.conninfo)) as conn:
        ((name,),) = conn.execute("SHOW application_name").fetchall()
        assert name.startswith("dataflow read models (process ")
    with closing(connect(f"{house.conninfo} application_name=mine")) as conn:
        assert conn.execute("SHOW application_name").fetchall() == [("mine",)]
