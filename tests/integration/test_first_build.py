"""Read models that have applied nothing are built where the log is long, and followed from there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from adapters.postgres import locks
from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.read_model.session import only_rebuild
from application.errors import PlatformError
from application.ports.message_stream import OutgoingMessage
from application.ports.read_model import ReadersInTheWayError, RightsNotCarriedError, WorkersLostError
from application.replay import lag
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from entrypoints import first_build, pipeline
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.monitoring import projecting
from entrypoints.monitoring.watch import NotReadyError, Watch
from entrypoints.settings import Settings

ORDERS = 15


@pytest.fixture
def container(conninfo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    """A log that counts as long, and read models that have applied none of it."""
    monkeypatch.setattr(lag, "WORTH_BUILDING", 200)
    monkeypatch.setattr(first_build, "_WAIT", 0.01)
    with platform(Settings(tmp_path, conninfo)) as container:
        take_in(container, past(0))
        yield container


def past(seed: int) -> list[OutgoingMessage]:
    settings = SimulationSettings(start=datetime(2026, 3, 2, tzinfo=UTC), orders=ORDERS, days=20, run=f"{seed}-")
    return list(messages(settings))


def take_in(container: Container, made: list[OutgoingMessage]) -> None:
    pipeline.publish(container, made, silent)
    pipeline.take_in(container, silent)


def silent(*_: object) -> None:
    """Report nothing."""


def applied(container: Container, *, once: bool = True, stop: Event | None = None) -> tuple[list[int], list[str]]:
    """Project as the command does; return how many events each step applied, and the phases of a build."""
    steps: list[int] = []
    phases: list[str] = []
    settings = container.settings()
    projecting.project(settings, stop or Event(), steps.append, lambda phase, *_: phases.append(phase), once=once)
    return steps, phases


def test_a_long_log_is_built_in_one_go_and_followed_from_there(container: Container) -> None:
    head = container.event_store().head()
    steps, phases = applied(container)
    assert steps[0] == sum(steps) > 200
    assert "swap" in phases
    assert container.read_model().position() == head
    take_in(container, past(1))
    steps, phases = applied(container)
    assert sum(steps) > 100
    assert phases == []
    assert container.read_model().verify(silent).equal


def test_who_follows_from_far_behind_is_told_what_takes_less_time(
    container: Container, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    applied(container)
    take_in(container, past(1))
    assert not caplog.records
    position, head = container.read_model().position(), container.event_store().head()
    monkeypatch.setattr(lag, "WORTH_BUILDING", head - position)
    steps, _ = applied(container)
    assert [record.getMessage() for record in caplog.records] == [
        f"the live tables stand at position {position:,}, {head - position:,} behind the log: `dataflow rebuild`, with"
        " this stopped, takes less time than following"
    ]
    assert sum(steps) == head - position


def test_other_commands_build_it_likewise(container: Container) -> None:
    pipeline.project(container, silent)
    assert container.read_model().position() == container.event_store().head()
    with psycopg.connect(container.database()) as connection:
        assert next(connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'gold_old'")) == (1,)


def test_a_short_log_is_followed(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "WORTH_BUILDING", 1_000_000)
    steps, phases = applied(container)
    assert sum(steps) > 200
    assert phases == []


def test_empty_tables_that_somebody_reads_through_a_view_are_followed(
    container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    container.read_model().position()
    with psycopg.connect(container.database()) as connection:
        connection.execute("CREATE VIEW public.mine AS SELECT * FROM gold.fact_order_line")
    steps, _ = applied(container)
    assert sum(steps) > 200
    assert "mine (on gold.fact_order_line)" in caplog.text
    assert "dataflow rebuild" not in caplog.text, "it would be refused as well"
    assert container.read_model().verify(silent).equal


def test_where_somebody_has_the_name_of_the_kept_tables_the_log_is_followed(
    container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(container.database()) as connection:
        connection.execute("CREATE SCHEMA gold_old")
    steps, _ = applied(container)
    assert sum(steps) > 200
    assert "the schema gold_old has the name of one of the build 'old'" in caplog.text
    assert container.read_model().verify(silent).equal


def test_empty_tables_with_rights_that_this_role_can_not_pass_on_are_followed(
    container: Container, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RightsNotCarriedError("ALTER DEFAULT PRIVILEGES: permission denied")

    monkeypatch.setattr("adapters.postgres.read_model.swap.carry_rights", refuse)
    steps, _ = applied(container)
    assert sum(steps) > 200
    assert "permission denied" in caplog.text


@pytest.mark.parametrize("error", [WorkersLostError, ReadersInTheWayError, RightsNotCarriedError])
def test_a_log_that_can_not_be_built_from_is_followed(
    container: Container, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: type[PlatformError]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("not this time")

    monkeypatch.setattr(PostgresReadModel, "rebuild", fail)
    steps, _ = applied(container)
    assert sum(steps) > 200
    assert "not this time" in caplog.text


def test_a_command_that_builds_is_not_ready_and_says_why(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(projecting, "Watch", lambda: watch)
    said = set()

    def building(*_: object) -> None:
        with pytest.raises(NotReadyError) as why:
            watch.ask()
        said.add(str(why.value))

    projecting.project(container.settings(), Event(), silent, building, once=True)
    assert said == {"building the read models for the first time"}


def test_it_waits_for_another_rebuild(container: Container) -> None:
    waiting = Event()

    def hold() -> None:
        with only_rebuild(container.database()):
            holding.set()
            waiting.wait(30)

    holding = Event()
    other = Thread(target=hold)
    other.start()
    holding.wait(30)

    def building(phase: str, *_: object) -> None:
        if phase == "waiting for another rebuild":
            waiting.set()

    projecting.project(container.settings(), Event(), silent, building, once=True)
    other.join()
    assert waiting.is_set()
    assert container.read_model().position() == container.event_store().head()


def test_asked_to_stop_it_leaves_nothing_half_done(container: Container) -> None:
    stop = Event()

    def building(phase: str, *_: object) -> None:
        if phase != "plan":
            stop.set()

    projecting.project(container.settings(), stop, silent, building, once=False)
    assert container.read_model().position() == 0
    with psycopg.connect(container.database()) as connection:
        aside = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'gold_build_%'"
        assert next(connection.execute(aside)) == (0,)
        assert next(connection.execute("SELECT pg_try_advisory_lock(%s)", [locks.REBUILD])) == (True,)
