"""The `dataflow` command: its groups, and how it says what went wrong."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click

from application.errors import PlatformError
from entrypoints.cli import answers, demo, operate, quarantine, replay, sources
from entrypoints.cli.output import errors
from entrypoints.settings import SettingsError

USER_ERRORS = (PlatformError, SettingsError)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dataflow-platform", prog_name="dataflow")
def cli() -> None:
    """Run an event-sourced supply-chain data platform: every message kept, every figure explained."""


for command in (
    demo.demo,
    demo.dashboard,
    sources.generate,
    sources.ingest,
    operate.consume,
    operate.project,
    operate.status,
    operate.doctor,
    operate.events,
    replay.rebuild,
    replay.verify,
    answers.kpi,
    answers.report,
    quarantine.quarantine,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; a user's mistake is one line on standard error and exit code 2, or 1 at work."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.Abort:
        code = _say("interrupted", 130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        code = _say(error.format_message(), 2)
    except KeyboardInterrupt:
        code = _say("interrupted; nothing is lost, start it again to go on", 130)
    except BrokenPipeError:
        code = 141
    except USER_ERRORS as error:
        code = _say(str(error), 1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str, code: int) -> int:
    line = " ".join(message.split())
    errors.print(f"dataflow: {line}", markup=False, soft_wrap=True)
    return code


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
