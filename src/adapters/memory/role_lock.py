"""Roles within one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from application.ports.role_lock import RoleTakenError


class MemoryRoleLock:
    """The `RoleLock` port in memory: threads take the place of processes."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def hold(self, role: str) -> Iterator[None]:
        """Hold a role; see the port."""
        with self._lock:
            if role in self._held:
                raise RoleTakenError(f"{role} runs in this process already")
            self._held.add(role)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(role)
