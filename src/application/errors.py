"""The base of what can go wrong outside the platform: its message is one clear line for whoever reads it."""

from __future__ import annotations


class PlatformError(Exception):
    """Something outside the platform does not do what it should: a file, a database, another process."""
