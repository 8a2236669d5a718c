"""Why a shipment refuses a command."""

from __future__ import annotations

from domain.shared.refusal import Refusal


class ShipmentNotPlanned(Refusal):
    """The shipment was never planned."""


class ShipmentAlreadyPlanned(Refusal):
    """A shipment is planned once."""


class ShipmentWithoutLines(Refusal):
    """A shipment must have lines."""


class DuplicateShipmentLine(Refusal):
    """A line number may appear once in a shipment."""


class InvalidShipmentLine(Refusal):
    """A line number must lie between 1 and 1,000,000."""


class ShipmentNotDispatched(Refusal):
    """The shipment has not left yet."""


class ShipmentAlreadyDispatched(Refusal):
    """The shipment has left already."""


class ShipmentAlreadyDelivered(Refusal):
    """A delivered shipment changes no more."""


class ShipmentAlreadyReturned(Refusal):
    """A returned shipment changes no more."""


class ShipmentAlreadyVoided(Refusal):
    """A voided shipment changes no more."""


class UnknownShipmentLine(Refusal):
    """The line is not part of the shipment."""


class DeliveredMoreThanDispatched(Refusal):
    """No more units of a line can arrive than were dispatched."""


class ShipmentExceptionAlreadyRaised(Refusal):
    """An exception is raised once, under an id of its own."""


class UnknownShipmentException(Refusal):
    """No such exception was raised for the shipment."""


class ShipmentExceptionAlreadyResolved(Refusal):
    """The exception is resolved already."""


class InvalidDelay(Refusal):
    """A delay must last from 1 to 5,256,000 minutes (ten years)."""


class InvalidRoute(Refusal):
    """A route is 0 to 40,075 km long (once around the Earth) and takes 0 to 5,256,000 minutes (ten years)."""


class InvalidWeather(Refusal):
    """Weather must be finite figures, and a WMO code (table 4677) from 0 to 99."""
