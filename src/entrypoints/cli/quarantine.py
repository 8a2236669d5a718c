"""Look after what was set aside: `dataflow quarantine list|show|retry|discard`."""

from __future__ import annotations

from collections import Counter

import click

from application.ports.inbox import Quarantined, QuarantineStatus
from entrypoints.cli.context import current_user, platform
from entrypoints.cli.counts import COUNT
from entrypoints.cli.output import console, print_json, print_json_list, print_table

Status = click.Choice([*(status.value for status in QuarantineStatus), "all"])


@click.group()
def quarantine() -> None:
    """Messages that could not be applied: look at them, retry them after a fix, or discard them."""


@quarantine.command("list")
@click.option("--status", default="open", show_default=True, type=Status)
@click.option("--code", help="Only this reason, e.g. InsufficientStock.")
@click.option("--limit", default=50, show_default=True, type=COUNT)
@click.option("--json", "as_json", is_flag=True, help="Print all that fit as JSON.")
def list_(status: str, code: str | None, limit: int, as_json: bool) -> None:
    """List messages in the order they were received, and count them by reason."""
    wanted = None if status == "all" else QuarantineStatus(status)
    with platform() as container:
        found = container.inbox().quarantine(status=wanted, code=code)
        if as_json:
            print_json_list(_plain(*each) for each in container.quarantine().with_payloads(found))
            return
    counted = Counter(message.code for message in found).most_common()
    print_table("By reason", ("reason", "messages"), counted)
    rows = [(m.quarantine_id, m.status, m.code, m.source, m.detail) for m in found[:limit]]
    print_table("Quarantine", ("number", "status", "reason", "source", "detail"), rows)
    if len(found) > limit:
        console.print(f"{len(found) - limit:,} more; --limit shows them")


@quarantine.command("show")
@click.argument("number", type=COUNT)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(number: int, as_json: bool) -> None:
    """Show one message with its payload as received."""
    with platform() as container:
        message = container.quarantine().show(number)
        plain = _plain(message, container.quarantine().payload(number))
    if as_json:
        print_json(plain)
    else:
        print_table(f"Message {number}", ("", "value"), plain.items())


@quarantine.command("retry")
@click.argument("numbers", type=COUNT, nargs=-1)
@click.option("--code", help="Retry all open messages with this reason.")
@click.option("--actor", default=current_user, help="Who does it.  [default: the user]")
def retry(numbers: tuple[int, ...], code: str | None, actor: str) -> None:
    """Retry messages after a fix; open ones of the same key come along in their original order."""
    with platform() as container:
        if code is not None:
            opened = container.inbox().quarantine(status=QuarantineStatus.OPEN, code=code)
            numbers = (*numbers, *(message.quarantine_id for message in opened))
        if not numbers:
            raise click.UsageError("give numbers of messages, or --code with a reason that occurs")
        results = container.quarantine().retry(numbers, actor=actor)
    rows = [(r.quarantine_id, "stays" if r.reason else "applied", r.reason and r.reason.detail) for r in results]
    print_table("Retried", ("number", "result", "why"), rows)
    if any(result.reason for result in results):
        raise SystemExit(1)


@quarantine.command("discard")
@click.argument("numbers", type=COUNT, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; kept with the message.")
@click.option("--actor", default=current_user, help="Who does it.  [default: the user]")
def discard(numbers: tuple[int, ...], reason: str, actor: str) -> None:
    """Discard messages for a reason; they stay in bronze and count as quarantined."""
    if not reason.strip():
        raise click.BadParameter("say why", param_hint="--reason")
    with platform() as container:
        container.quarantine().discard(numbers, actor=actor, reason=reason)
    console.print(f"{len(numbers)} discarded")


def _plain(message: Quarantined, payload: bytes) -> dict[str, object]:
    return message._asdict() | {"payload": payload.decode("utf-8", "backslashreplace")}
