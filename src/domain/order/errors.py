"""Why an order refuses a command."""

from __future__ import annotations

from domain.shared.refusal import Refusal


class OrderAlreadyPlaced(Refusal):
    """An order is placed once."""


class OrderNotPlaced(Refusal):
    """The order was never placed."""


class NoOrderLines(Refusal):
    """An order, and a command for its lines, must name at least one line."""


class DuplicateOrderLine(Refusal):
    """A line number may stand only once in an order, and once in a command."""


class InvalidLineNumber(Refusal):
    """A line number must be a whole number from 1 to 1,000,000."""


class InvalidDiscount(Refusal):
    """A discount must be a share from 0 to 1 with at most 9 decimal places."""


class InvalidCurrency(Refusal):
    """A currency must be three upper-case letters, as in ISO 4217."""


class UnknownOrderLine(Refusal):
    """The order has no line with this number."""


class OrderAlreadyConfirmed(Refusal):
    """An order is confirmed once."""


class OrderNotPromised(Refusal):
    """Only a promise that was given can be revised."""


class AllocationExceedsDemand(Refusal):
    """No more units can be allocated than are open or back-ordered."""


class ReleaseExceedsAllocated(Refusal):
    """No more units can be released than are allocated."""


class BackorderExceedsOpen(Refusal):
    """No more units can be back-ordered than are open."""


class ShippingExceedsRemaining(Refusal):
    """No more units can be shipped than are neither shipped nor cancelled yet."""


class DeliveryExceedsShipped(Refusal):
    """No more units can be delivered than were shipped and are still under way."""


class ReturnExceedsDelivered(Refusal):
    """No more units can be returned than were delivered and did not come back yet."""


class CancellationExceedsRemaining(Refusal):
    """No more units can be cancelled than are neither shipped nor cancelled yet."""


class ShippedUnitsNotCancellable(Refusal):
    """A shipped quantity is returned, not cancelled."""


class OrderOnHold(Refusal):
    """A held order neither allocates nor ships."""


class OrderAlreadyHeld(Refusal):
    """The order is on hold already."""


class OrderNotHeld(Refusal):
    """The order is not on hold."""


class OrderAlreadyShipped(Refusal):
    """An order of which units were shipped can't be cancelled; its other units can."""


class OrderAlreadyDelivered(Refusal):
    """An order of which units were delivered can't be cancelled; delivered units are returned."""


class OrderAlreadyCancelled(Refusal):
    """Nothing happens to a cancelled order any more."""


class OrderAlreadyClosed(Refusal):
    """Nothing but returns happens to a closed order."""


class OrderUnfinished(Refusal):
    """An order can't be closed while units are open, back-ordered, allocated, or under way."""
