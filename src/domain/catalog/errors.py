"""Why a catalog entry refuses a command."""

from __future__ import annotations

from domain.shared.refusal import Refusal


class CatalogEntryAlreadyRegistered(Refusal):
    """An entry is registered once, and not again after it was retired."""


class CatalogEntryNotRegistered(Refusal):
    """The entry was never registered."""


class CatalogEntryAlreadyRetired(Refusal):
    """A retired entry changes no more."""


class CatalogEntryUnchanged(Refusal):
    """A revision must change something."""


class CatalogEntryWithoutName(Refusal):
    """An entry must have a name."""


class InvalidLeadTime(Refusal):
    """A lead time must last from 0 to 3,650 days (ten years)."""
