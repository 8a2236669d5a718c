"""What the documentation tells people to type exists: commands, their options, the variables, the make targets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from entrypoints.cli.main import MODULE_OF, cli

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^ {4}(dataflow .*)$", re.MULTILINE)
INLINE = re.compile(r"`(dataflow [^`]+)`")
ENDS = re.compile(r"[#>;&)…]| \| |\.\.\.")
VARIABLE = re.compile(r"\bDATAFLOW_[A-Z_]+[A-Z]\b")
QUOTED = re.compile(r"""["'](DATAFLOW_[A-Z_]+[A-Z])["']""")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")


def commands(page: Path) -> Iterator[str]:
    text = page.read_text()
    for block in FENCED.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if begin := re.search(r"(?:^|\s)(dataflow [a-z].*)", line):
                yield begin[1]
    yield from INDENTED.findall(text)
    yield from (" ".join(found.split()) for found in INLINE.findall(text.replace("\n", " ")))


def typed(line: str) -> list[str]:
    """The arguments of a command, up to a comment, a pipe or an ellipsis; what stands in brackets may be typed too."""
    return shlex.split(ENDS.split(re.sub(r"[\[\]\\]", "", line))[0])[1:]


def check(arguments: list[str]) -> None:
    command: click.Command = cli
    context = click.Context(cli, info_name="dataflow")
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        names = arguments.pop(0).split("|")
        found = [command.get_command(context, name) for name in names]
        assert None not in found, f"there is no command {names}"
        assert found[0] is not None
        command = found[0]
        context = click.Context(command, info_name=names[0], parent=context)
    command.make_parser(context).parse_args(arguments)


DOCUMENTED = sorted({(page.name, line) for page in PAGES for line in commands(page)})


def test_the_documentation_has_commands() -> None:
    assert len(DOCUMENTED) > 80
    assert {page for page, _ in DOCUMENTED} >= {"README.md", "operations.md", "mappings.md"}


@pytest.mark.parametrize(("page", "line"), DOCUMENTED)
def test_a_documented_command_exists_with_its_options(page: str, line: str) -> None:
    try:
        check(typed(line))
    except click.UsageError as error:
        pytest.fail(f"{page}: {line}: {error.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_variables_and_targets_exist(page: Path) -> None:
    text = page.read_text()
    read = "".join(
        path.read_text()
        for name in ("src", "dags", "dashboard", "deploy", "tests")
        for path in (ROOT / name).rglob("*.py")
    )
    read += (ROOT / "docker-compose.yml").read_text()
    kafka = {name for name in VARIABLE.findall(text) if name.startswith("DATAFLOW_KAFKA_")}
    assert [name for name in sorted({*VARIABLE.findall(text)} - kafka) if name not in read] == []
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join([*FENCED.findall(text), *re.findall(r"`([^`]+)`", text)])
    assert {*TARGET.findall(code)} - targets == set()


def test_the_readme_lists_every_command() -> None:
    listed = {typed(line)[0] for line in commands(PAGES[0])}
    assert set(MODULE_OF) - listed == set()


def test_every_variable_that_is_read_is_documented() -> None:
    sources = [path for name in ("src", "dashboard", "dags") for path in (ROOT / name).rglob("*.py")]
    read = {name for path in sources for name in QUOTED.findall(path.read_text())}
    documented = {name for page in PAGES for name in VARIABLE.findall(page.read_text())}
    assert read - documented == set()


@pytest.mark.parametrize("line", ["dataflow rebild", "dataflow rebuild --as-off X", "dataflow quarantine list|drop"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        check(typed(line))
