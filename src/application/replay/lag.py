"""How far read models may be behind the log before they are built up to its end, which is faster than to follow it."""

from __future__ import annotations

WORTH_BUILDING = 100_000
"""Positions below which it is not worth a build: they are followed in half a minute or a few."""
TIMES_FASTER = 10
"""How many events, at least, are built in the time in which one is followed."""


def far_behind(position: int, head: int) -> bool:
    """Tell whether a build of the whole log up to `head` takes less time than to follow it there from a position."""
    return head - position >= max(WORTH_BUILDING, head / TIMES_FASTER)


def told(position: int, head: int) -> str:
    """Say how far behind live tables are."""
    return f"the live tables stand at position {position:,}, {head - position:,} behind the log"
