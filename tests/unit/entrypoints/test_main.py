"""How a command that was interrupted ends, whatever its cleaning up runs into."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from application.ports.read_model import ReadModelUnavailableError
from entrypoints.cli import main
from entrypoints.cli.interruption import Terminated


@pytest.fixture(autouse=True)
def handler_of_the_tests() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def ended(monkeypatch: pytest.MonkeyPatch, error: Exception) -> object:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(main.cli, "main", fail)
    with pytest.raises(SystemExit) as end:
        main.main()
    return end.value.code


@pytest.mark.parametrize(("interruption", "code"), [(Terminated, 143), (KeyboardInterrupt, 130)])
@pytest.mark.parametrize("kind", [ReadModelUnavailableError, OSError])
def test_an_error_while_an_interruption_is_cleaned_up_after_is_an_interruption(
    interruption: type[KeyboardInterrupt],
    code: int,
    kind: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = kind("another command is already in progress")
    error.__cause__ = error.__context__ = ValueError("the driver's")
    error.__context__.__context__ = interruption()
    assert ended(monkeypatch, error) == code
    assert capsys.readouterr().err == "dataflow: interrupted; nothing is lost, start it again to go on\n"


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, ReadModelUnavailableError("the database is away")) == 1
    assert capsys.readouterr().err == "dataflow: the database is away\n"
    monkeypatch.setattr(main.cli, "main", lambda **_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main.main()


@pytest.mark.parametrize("said", ["console.print('x' * 100_000)", "print_json('x' * 100_000)", "print_json('x')"])
def test_output_that_nobody_reads_ends_a_command_as_it_ends_others(said: str) -> None:
    command = f"""
import click
from entrypoints.cli import main
from entrypoints.cli.output import console, print_json
main.cli.get_command = lambda *_: click.Command("say", callback=lambda: {said})
main.main()
"""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-c", command, "say"], stdout=nobody, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")
