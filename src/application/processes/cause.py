"""The event that makes a process act."""

from __future__ import annotations

from typing import Any, NamedTuple

from application import codec


class Cause(NamedTuple):
    """An event of the log with its place."""

    position: int
    stream_id: str
    version: int
    event: Any

    @property
    def event_id(self) -> str:
        """The event's id."""
        return codec.event_id(self.stream_id, self.version)
