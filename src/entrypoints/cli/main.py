"""The `dataflow` command: its groups, and how it says what went wrong."""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType
from typing import TextIO

import click

from application.errors import InvalidRequestError, PlatformError
from entrypoints.cli.interruption import Terminated
from entrypoints.cli.output import errors
from entrypoints.cli.text_arguments import taking_text
from entrypoints.lean_imports import for_good

_NOBODY_READS = 128 + signal.SIGPIPE
_INTERRUPTED = "interrupted; nothing is lost, start it again to go on"
MODULE_OF = {
    "builds": "builds",
    "cases": "process",
    "catalog": "catalog",
    "certificates": "certificates",
    "consume": "operate",
    "dashboard": "demo",
    "demo": "demo",
    "diff": "builds",
    "doctor": "operate",
    "events": "operate",
    "explain": "explain",
    "generate": "sources",
    "ingest": "sources",
    "kpi": "answers",
    "policy": "policy",
    "process": "process",
    "project": "operate",
    "quality": "quality",
    "quarantine": "quarantine",
    "rebuild": "replay",
    "relay": "relay",
    "report": "answers",
    "status": "operate",
    "switch-log": "operate",
    "verify": "replay",
}
"""The module of this package that has a command."""


class Commands(click.Group):
    """Imports the module of a command when it is asked for, not those of all the others."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(MODULE_OF)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return a command by name, None where there is none."""
        if name not in MODULE_OF:
            return None
        module = for_good(f"entrypoints.cli.{MODULE_OF[name]}")
        command: click.Command = getattr(module, name.replace("-", "_"))
        return taking_text(command)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dataflow-platform", prog_name="dataflow")
def cli() -> None:
    """Run an event-sourced supply-chain data platform: every message kept, every figure explained."""


def main() -> None:
    """Run the command; a user's mistake is one line on standard error and exit code 2, a failure at work 1."""
    signal.signal(signal.SIGTERM, _terminate)
    stdout = sys.stdout
    _name_files_by_their_bytes(stdout)
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.Abort as abort:
        code = _say(_INTERRUPTED, _signal(abort.__cause__))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        code = _say(error.format_message().rstrip(".") + _where_help_is(error), 2)
    except SystemExit:
        # Where nobody reads on, as after `head`, click puts another stdout in place and ends with 1.
        if sys.stdout is stdout:
            raise
        code = _NOBODY_READS
    except Exception as error:
        if (code := _failed(error)) is None:
            if not _is_structured():
                raise
            code = _write_line(f"unexpected: {error!r}", 1, error)
    sys.exit(code if isinstance(code, int) else 0)


def _name_files_by_their_bytes(stdout: TextIO) -> None:
    """Let what no encoding makes text of be printed as it was given, as the interpreter does in some locales."""
    if isinstance(stdout, TextIOWrapper) and stdout.errors == "strict":
        stdout.reconfigure(errors="surrogateescape")


def _say(message: str, code: int) -> int:
    line = " ".join(message.split())
    if _is_structured():
        return _write_line(line, code)
    errors.print(f"dataflow: {line}", soft_wrap=True)
    return code


def _is_structured() -> bool:
    """Tell whether standard error is for a machine; asked of the environment, since settings may be what is wrong."""
    return os.environ.get("DATAFLOW_LOG_FORMAT", "").lower() == "json"


def _write_line(message: str, code: int, error: Exception | None = None) -> int:
    from entrypoints.monitoring.logs import line_of  # noqa: PLC0415 - not for a command that succeeds

    sys.stderr.write(f"{line_of(message, error)}\n")
    return code


def _where_help_is(error: click.ClickException) -> str:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"; see `{error.ctx.command_path} --help`"
    return ""


def _failed(error: Exception) -> int | None:
    """Say what went wrong and return the exit code, None where only a traceback tells."""
    if (stopped := _stopped_by(error)) is not None:
        return _say(_INTERRUPTED, _signal(stopped))
    if isinstance(error, PlatformError):
        return _say(str(error), 2 if isinstance(error, InvalidRequestError) else 1)
    return None


def _stopped_by(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the interruption during whose cleaning up an error was raised: it is what ended the command."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _signal(interruption: BaseException | None) -> int:
    return 128 + (signal.SIGTERM if isinstance(interruption, Terminated) else signal.SIGINT)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
