"""The base of what can go wrong outside the platform: its message is one clear line for whoever reads it."""

from __future__ import annotations


class PlatformError(Exception):
    """Something outside the platform does not do what it should: a file, a database, another process."""


class InvalidRequestError(PlatformError):
    """Something was asked for that there is not, or in a way that can't be done: to be asked for otherwise."""
