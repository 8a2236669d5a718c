"""Import what is needed, and quickly: libraries that happen to be installed are a third of the start of a command."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Missing(MetaPathFinder):
    """Says of some modules that they are not there."""

    def __init__(self, modules: frozenset[str]) -> None:
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname in self._modules:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Let the modules count as missing, unless they are loaded already; afterwards they can be imported."""
    missing = _Missing(frozenset(modules))
    sys.meta_path.insert(0, missing)
    try:
        yield
    finally:
        sys.meta_path.remove(missing)


def for_good(module: str) -> ModuleType:
    """Import a module, and keep the cycle collector from what is there then: to look through it takes a fifth."""
    if module not in sys.modules:
        enabled = gc.isenabled()
        gc.disable()
        try:
            import_module(module)
        finally:
            gc.freeze()
            if enabled:
                gc.enable()
    return sys.modules[module]
