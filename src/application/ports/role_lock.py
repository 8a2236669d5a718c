"""Roles that only one process at a time may hold."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from application.errors import PlatformError


class RoleTakenError(PlatformError):
    """Another process holds the role; the message names it."""


class RoleLock(Protocol):
    """Holds roles such as `consume` or `project` for one process; a role ends with its process."""

    def hold(self, role: str) -> AbstractContextManager[None]:
        """Hold a role while the context is open.

        Raises:
            RoleTakenError: another process holds it.
        """
