"""Say the same thing only now and then: of a broker that is away, its client tells hundreds of times a second."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

SILENCE = 30.0
"""Seconds in which what was said once is not said again."""
_NUMBER = re.compile(r"\d+ms|\d+(?= broker)")
"""What differs between two messages of the same kind: times, counts."""


class Sparing(logging.Filter):
    """Lets one message of a kind pass in `SILENCE` seconds; the next one says how many were left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record passes."""
        text = record.getMessage()
        kind, now = _NUMBER.sub("#", text), self._clock()
        since, left_out = self._said.get(kind, (-SILENCE, 0))
        if now - since < SILENCE:
            self._said[kind] = (since, left_out + 1)
            return False
        self._said[kind] = (now, 0)
        if left_out:
            record.msg, record.args = f"{text} (and {left_out:,} more of these since)", ()
        return True
