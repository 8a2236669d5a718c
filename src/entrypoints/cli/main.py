"""The `dataflow` command: its groups, and how it says what went wrong."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click

from application.errors import PlatformError
from application.ports.analytics import AnalyticsUnavailableError
from application.ports.builds import BuildExistsError, InvalidBuildNameError, InvalidMomentError, NoSuchBuildError
from application.ports.certificates import NoSuchCertificateError
from application.queries.explain import UnknownEventError, UnknownRowError
from application.queries.figures import (
    UnknownDimensionError,
    UnknownKpiError,
    UnsupportedBreakdownError,
    UnsupportedComparisonError,
)
from application.queries.policies import UnknownPolicyError
from entrypoints.cli import (
    answers,
    builds,
    catalog,
    certificates,
    demo,
    explain,
    operate,
    policy,
    process,
    quality,
    quarantine,
    relay,
    replay,
    sources,
)
from entrypoints.cli.output import errors
from entrypoints.daily import DayNotOverError, DayNotRunError
from entrypoints.settings import SettingsError

MISTAKES = (
    DayNotOverError,
    DayNotRunError,
    SettingsError,
    UnknownKpiError,
    UnknownDimensionError,
    UnknownPolicyError,
    UnknownRowError,
    UnknownEventError,
    UnsupportedBreakdownError,
    UnsupportedComparisonError,
    BuildExistsError,
    InvalidBuildNameError,
    InvalidMomentError,
    NoSuchBuildError,
    NoSuchCertificateError,
)
FAILURES = (PlatformError, AnalyticsUnavailableError)


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken like Ctrl-C: what runs is cancelled, what was opened is closed."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dataflow-platform", prog_name="dataflow")
def cli() -> None:
    """Run an event-sourced supply-chain data platform: every message kept, every figure explained."""


for command in (
    demo.demo,
    demo.dashboard,
    sources.generate,
    sources.ingest,
    catalog.catalog,
    operate.consume,
    process.process,
    process.cases,
    operate.project,
    operate.status,
    operate.switch_log,
    operate.doctor,
    operate.events,
    relay.relay,
    replay.rebuild,
    replay.verify,
    builds.builds,
    builds.diff,
    certificates.certificates,
    quality.quality,
    answers.kpi,
    answers.report,
    explain.explain,
    policy.policy,
    quarantine.quarantine,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; a user's mistake is one line on standard error and exit code 2, a failure at work 1."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.Abort as abort:
        code = _say("interrupted; nothing is lost, start it again to go on", _interruption(abort))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        code = _say(error.format_message().rstrip(".") + _where_help_is(error), 2)
    except BrokenPipeError:
        code = 141
    except MISTAKES as error:
        code = _say(str(error), 2)
    except FAILURES as error:
        code = _say(str(error), 1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str, code: int) -> int:
    line = " ".join(message.split())
    errors.print(f"dataflow: {line}", soft_wrap=True)
    return code


def _where_help_is(error: click.ClickException) -> str:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"; see `{error.ctx.command_path} --help`"
    return ""


def _interruption(abort: click.Abort) -> int:
    return 128 + (signal.SIGTERM if isinstance(abort.__cause__, Terminated) else signal.SIGINT)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
