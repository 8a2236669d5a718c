"""Roles that only one process at a time may hold, unless all that hold it share it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from application.errors import PlatformError

Check = Callable[[], None]
"""Raises RoleLostError where the role is no longer held."""


class RoleTakenError(PlatformError):
    """Another process holds the role; the message names it."""


class RoleLostError(PlatformError):
    """The role was held, but is free or another's by now; stop, and hold it again."""


class RoleLock(Protocol):
    """Holds roles such as `consume` or `project` for one process; a role ends with its process."""

    def hold(self, role: str, *, shared: bool = False) -> AbstractContextManager[Check]:
        """Hold a role while the context is open; a shared role lets others share it, but nobody hold it alone.

        The context gives a check to be called now and then, by the thread that holds the role.

        Raises:
            RoleTakenError: another process holds it, and one of the two does not share.
        """
