"""Text of a command line that is not UTF-8 is a user's mistake, wherever it is; a name of a file may be any bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from entrypoints.cli.main import MODULE_OF, cli

ODD = "caf\udce9"
Named = tuple[list[str], click.Command]


def all_commands(group: click.Group, path: list[str]) -> Iterator[Named]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from all_commands(command, [*path, name])
        else:
            yield [*path, name], command


def command_lines() -> Iterator[list[str]]:
    """Each command with an odd text for each of its options and arguments that are text."""
    for path, command in all_commands(cli, []):
        before: list[str] = []
        for parameter in command.params:
            is_text = isinstance(parameter.type, click.types.StringParamType)
            if isinstance(parameter, click.Argument):
                if is_text:
                    yield [*path, *before, ODD]
                before.append("1")
            elif is_text:
                yield [*path, parameter.opts[0], ODD]


LINES = list(command_lines())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATAFLOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_all_commands_with_text_are_tried() -> None:
    assert len(LINES) > 25
    assert {line[0] for line in LINES} <= {*MODULE_OF}
    for known in (["quarantine", "discard", "--reason", ODD], ["builds", "drop", ODD], ["diff", "1", ODD]):
        assert known in LINES


@pytest.mark.parametrize("line", LINES, ids=lambda line: ascii(" ".join(line)))
def test_text_that_is_not_utf_8_is_refused(line: list[str]) -> None:
    with pytest.raises(click.BadParameter, match=r"b'caf\\xe9' is not text in UTF-8"):
        cli.main(line, standalone_mode=False)


@pytest.mark.parametrize("logs", ["text", "json"])
def test_it_is_said_in_one_line_before_anything_is_done(logs: str, home: Path) -> None:
    command = [sys.executable, "-c", "from entrypoints.cli.main import main; main()"]
    environment = {**os.environ, "DATAFLOW_LOG_FORMAT": logs}
    arguments = ["quarantine", "discard", "1", "--reason", ODD]
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "is not text in UTF-8" in done.stderr
    assert not home.exists()


def test_a_folder_may_have_any_name_and_is_named_by_its_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from entrypoints.cli.main import main; main()"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}  # as in a locale of any country
    arguments = ["generate", "--orders", "1", "--days", "1", "--out", str(tmp_path / ODD)]
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"caf\xe9" in done.stdout
    assert (tmp_path / ODD / "orders.ndjson").exists()
