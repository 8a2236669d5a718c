"""What a process refuses to guess."""

from __future__ import annotations

from domain.shared.refusal import Refusal


class OriginUnknown(Refusal):
    """Nobody said which location the units left or belong to, and nothing is reserved for them."""


class ReservedElsewhere(Refusal):
    """Units are set aside under this name already, by somebody else at another location."""
