"""Roles within one process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from application.ports.role_lock import Check, RoleTakenError


class MemoryRoleLock:
    """The `RoleLock` port in memory: threads take the place of processes."""

    def __init__(self) -> None:
        self._alone: set[str] = set()
        self._sharing: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def hold(self, role: str, *, shared: bool = False) -> Iterator[Check]:
        """Hold a role; see the port."""
        with self._lock:
            if role in self._alone or (self._sharing[role] and not shared):
                raise RoleTakenError(f"{role} runs in this process already")
            if shared:
                self._sharing[role] += 1
            else:
                self._alone.add(role)
        try:
            yield _still_held
        finally:
            with self._lock:
                if shared:
                    self._sharing[role] -= 1
                else:
                    self._alone.discard(role)


def _still_held() -> None:
    """Raise nothing: what is held in this process is not lost."""
