"""How a command that was interrupted ends, whatever its cleaning up runs into."""

import json
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


def test_between_structured_logs_what_ends_a_command_is_one_of_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATAFLOW_LOG_FORMAT", "json")
    assert ended(monkeypatch, ReadModelUnavailableError("the database\nis away")) == 1
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("error", "the database is away")
    assert ended(monkeypatch, ZeroDivisionError("odd")) == 1
    line = json.loads(capsys.readouterr().err)
    assert line["message"] == "unexpected: ZeroDivisionError('odd')"
    assert line["exception"].startswith("Traceback")
    monkeypatch.undo()
    monkeypatch.setenv("DATAFLOW_LOG_FORMAT", "json")
    monkeypatch.setenv("DATAFLOW_BATCH_SIZE", "many")
    monkeypatch.setattr(sys, "argv", ["dataflow", "consume"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2
    assert "DATAFLOW_BATCH_SIZE is 'many'" in json.loads(capsys.readouterr().err)["message"]


def test_between_structured_logs_nothing_else_is_written() -> None:
    command = """
import logging, os, threading, warnings
from entrypoints.cli.context import read_settings

class Odd:
    def __del__(self):
        raise ValueError("of a destructor")

read_settings()
warnings.warn("of a warning")
thread = threading.Thread(target=lambda: 1 // 0)
thread.start()
thread.join()
Odd()
logging.getLogger("a").warning("of a file %s", os.fsdecode(b"caf\\xe9"))
"""
    environment = {**os.environ, "DATAFLOW_LOG_FORMAT": "json"}
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["warning", "error", "error", "warning"]
    assert "UserWarning: of a warning" in lines[0]["message"]
    assert "ZeroDivisionError" in lines[1]["exception"]
    assert "ValueError: of a destructor" in lines[2]["exception"]
    assert lines[3]["message"] == "of a file caf?"


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
