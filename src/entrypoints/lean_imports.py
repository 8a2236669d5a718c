"""Keep an import from pulling in web frameworks that happen to be installed: a fifth of the start of a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Let the modules count as missing, unless they are loaded already; afterwards they can be imported."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None: an import of it is refused
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
