"""`dataflow rebuild` where nobody followed for long, and where somebody does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from application.ports.role_lock import RoleTakenError
from application.replay import lag
from entrypoints import onward, pipeline
from entrypoints.cli.certificates import show
from entrypoints.cli.context import platform
from entrypoints.cli.operate import status
from entrypoints.cli.replay import rebuild
from entrypoints.container import Container
from entrypoints.doctor import examine
from entrypoints.pipeline import PROJECT, holding
from entrypoints.settings import from_environment
from entrypoints.tasks import rebuilding
from entrypoints.tasks.rebuilding import CertificateError
from tests.integration.test_daily_report import url_of
from tests.integration.test_first_build import past, silent, take_in


@pytest.fixture
def container(conninfo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    """Read models that nobody followed while as much came as they hold."""
    monkeypatch.setattr(lag, "WORTH_BUILDING", 100)
    variables = {"DATAFLOW_HOME": str(tmp_path), "DATAFLOW_DATABASE_URL": url_of(conninfo)}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with platform(from_environment(variables)) as container:
        take_in(container, past(0))
        pipeline.project(container, silent)
        take_in(container, past(1))
        yield container


def standing(container: Container) -> tuple[int, int]:
    return container.read_model().position(), container.event_store().head()


def rebuilt(container: Container, progress: Callable[..., None] = silent) -> tuple[Any, list[str]]:
    said: list[str] = []
    how = {"accept_changes": False, "workers": 0, "shards": 3}
    return onward.rebuild(container, progress, said.append, **how), said


def test_nobody_follows_while_tables_that_are_far_behind_are_rebuilt(container: Container) -> None:
    proved, head = standing(container)
    phases = []

    def progress(phase: str, *_: int) -> None:
        phases.append(phase)
        with pytest.raises(RoleTakenError, match="dataflow project"), holding(container, PROJECT):
            pass

    built, said = rebuilt(container, progress)
    assert (built.swapped, built.certificate.position, built.certificate.built_on_to) == (True, proved, head)
    assert phases.count("plan") == 2
    assert said == [
        f"the live tables stand at position {proved:,}, {head - proved:,} behind the log: a build is compared with them"
        " there, and built on to its end; nobody can follow meanwhile"
    ]
    with holding(container, PROJECT):
        assert container.read_model().verify(silent).equal
    assert container.read_model().position() == head


def test_tables_that_are_far_behind_a_follower_are_rebuilt_where_they_stand(container: Container) -> None:
    proved, head = standing(container)
    with holding(container, PROJECT):
        built, said = rebuilt(container)
    assert (built.swapped, built.position, built.certificate.built_on_to) == (True, proved, None)
    assert said == [
        f"the live tables stand at position {proved:,}, {head - proved:,} behind the log, and are followed: they are"
        " rebuilt as far as that. With the follower stopped, up to its end"
    ]
    pipeline.project(container, silent)
    assert container.read_model().verify(silent).equal


def test_a_follower_that_is_close_behind_goes_on_meanwhile(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved, head = standing(container)
    monkeypatch.setattr(lag, "WORTH_BUILDING", head - proved + 1)

    def progress(phase: str, *_: int) -> None:
        if phase == "gold":
            with holding(container, PROJECT):
                container.follower().step(proved + 50)

    built, said = rebuilt(container, progress)
    moved = standing(container)[0]
    assert proved < moved == built.position == built.certificate.position <= proved + 50
    assert (built.certificate.built_on_to, said) == (None, [])


def test_the_command_says_where_it_was_proved_and_how_far_it_went(
    container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    proved, head = standing(container)
    rebuild.main(["--shards", "2"], standalone_mode=False)
    printed, said = capsys.readouterr()
    assert f"the live tables stand at position {proved:,}, {head - proved:,} behind the log" in said
    assert f"Certificate 1 (rebuild) at position {proved:,}" in printed
    gone_on = f"compared at position {proved:,}, where the live tables stood; what was swapped in is built by the same"
    assert gone_on in " ".join(printed.split())
    assert f"on to position {head:,}" in " ".join(printed.split())
    assert f"up to position {head:,}" in printed
    show.main(["--json"], standalone_mode=False)
    kept = json.loads(capsys.readouterr().out)
    assert (kept["equal"], kept["position"], kept["built_on_to"]) == (True, proved, head)


def test_the_command_gives_it_as_json(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    proved, head = standing(container)
    rebuild.main(["--json"], standalone_mode=False)
    given = json.loads(capsys.readouterr().out)
    assert (given["position"], given["swapped"]) == (head, True)
    assert (given["certificate"]["position"], given["certificate"]["built_on_to"]) == (proved, head)
    assert given["quality"]


def test_a_scheduled_rebuild_goes_on_to_the_end_of_the_log_where_nobody_follows(
    container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAFLOW_ARTEFACTS", str(tmp_path / "artefacts"))
    proved, head = standing(container)
    with holding(container, PROJECT):
        assert rebuilding.choose() == "plan"
    assert rebuilding.choose(f"{head}") == "plan"
    assert rebuilding.choose() == "rebuild_onward"
    done = rebuilding.rebuild_onward(3)
    kept = json.loads(Path(done["file"]).read_text())
    assert (done["equal"], done["swapped"], done["position"]) == (True, True, head)
    assert (kept["number"], kept["position"], kept["built_on_to"]) == (done["certificate"], proved, head)
    assert standing(container) == (head, head)
    assert rebuilding.choose() == "plan"
    assert container.read_model().verify(silent).equal


def test_a_scheduled_rebuild_that_differs_fails_and_leaves_the_live_tables(container: Container) -> None:
    before = standing(container)
    with psycopg.connect(container.database()) as connection:
        connection.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE line_no = 1")
    with pytest.raises(CertificateError, match=r"Certificate 1 \(.*1\.json\) names the rows of gold\.fact_order_line"):
        rebuilding.rebuild_onward(3)
    assert standing(container) == before
    done = rebuilding.rebuild_onward(3, accept_changes=True)
    assert (done["equal"], done["swapped"], done["position"]) == (False, True, before[1])


def read_models(container: Container) -> str:
    (found,) = [each for each in examine(container.settings()) if each.check == "read models"]
    assert not found.ok
    return found.finding


def test_doctor_and_status_say_what_takes_less_time_than_following_from_far_behind(
    container: Container, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proved, head = standing(container)
    advice = (
        f"the live tables stand at position {proved:,}, {head - proved:,} behind the log: `dataflow rebuild`, with"
        " `dataflow project` stopped, takes less time than following"
    )
    assert read_models(container) == advice
    status.main(["--json"], standalone_mode=False)
    printed, said = capsys.readouterr()
    assert json.loads(printed)["read_model_behind"] == head - proved
    assert said == f"note: {advice}\n"
    monkeypatch.setattr(lag, "WORTH_BUILDING", head - proved + 1)
    assert read_models(container) == f"{head - proved:,} positions behind; run `dataflow project`"
    status.main([], standalone_mode=False)
    printed, said = capsys.readouterr()
    assert f"read_model_behind │ {head - proved:,}" in " ".join(printed.split())
    assert said == ""


def test_doctor_says_of_tables_that_have_applied_nothing_what_builds_them(
    container: Container,
) -> None:
    head = standing(container)[1]
    with psycopg.connect(container.database()) as connection:
        connection.execute("DROP SCHEMA silver, gold CASCADE")
    container.read_model().create()
    assert read_models(container) == f"{head:,} positions behind; run `dataflow project`"
