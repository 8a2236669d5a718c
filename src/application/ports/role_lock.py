"""Roles that only one process at a time may hold, unless all that hold it share it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from application.errors import PlatformError


class RoleTakenError(PlatformError):
    """Another process holds the role; the message names it."""


class RoleLock(Protocol):
    """Holds roles such as `consume` or `project` for one process; a role ends with its process."""

    def hold(self, role: str, *, shared: bool = False) -> AbstractContextManager[None]:
        """Hold a role while the context is open; a shared role lets others share it, but nobody hold it alone.

        Raises:
            RoleTakenError: another process holds it, and one of the two does not share.
        """
