"""How a command is asked to end."""

from __future__ import annotations

import signal
from types import FrameType

_asked: list[type[KeyboardInterrupt]] = []


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken like Ctrl-C: what runs is cancelled, what was opened is closed."""


def listen() -> None:
    """Take SIGTERM, and Ctrl-C where it is not ignored, as interruptions from now on."""
    _asked.clear()
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def require_going_on() -> None:
    """Raise an interruption again that was raised where nobody could take it, as in a callback from C.

    Raises:
        KeyboardInterrupt: the command was asked to end.
    """
    if _asked:
        raise _asked[0]


def _interrupt(number: int, _frame: FrameType | None) -> None:
    kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
    _asked.append(kind)
    raise kind
