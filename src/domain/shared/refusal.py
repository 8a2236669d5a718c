"""The base of every named refusal: a rule of the domain that a command would break."""

from __future__ import annotations


class Refusal(Exception):
    """The domain refused the command."""

    def __init__(self, detail: str = "") -> None:
        """Build the message from the class's docstring and the detail, e.g. the numbers involved."""
        rule = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{rule} {detail}".strip() if detail else rule)

    @property
    def code(self) -> str:
        """The refusal's name, stable for lists and filters: `InsufficientStock`."""
        return type(self).__name__


class InvalidQuantity(Refusal):
    """A quantity must be a whole number of units from 1 to 1,000,000,000."""


class InvalidAmount(Refusal):
    """An amount must be a finite decimal below 1,000,000,000,000 with at most 6 decimal places."""


class InvalidCoordinates(Refusal):
    """Coordinates must lie within -90..90 degrees of latitude and -180..180 of longitude."""
