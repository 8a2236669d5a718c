"""The end of a process in the midst of its work, without ending one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Killed(BaseException):
    """Stands for the end of the process, right before or after a step."""


@contextmanager
def killing(monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str, int], moment: str) -> Iterator[None]:
    """End the run before or after the n-th such step."""
    owner, name, number = step
    original: Callable[..., Any] = getattr(owner, name)
    steps = 0

    def struck(*arguments: Any, **named: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == number and moment == "before":
            raise Killed
        result = original(*arguments, **named)
        if steps == number and moment == "after":
            raise Killed
        return result

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, struck)
        yield
