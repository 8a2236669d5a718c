"""What the stock of a product at a location refuses; each docstring is the message."""

from __future__ import annotations

from domain.shared.refusal import Refusal


class StockUnknown(Refusal):
    """Nothing was ever recorded of this product at this location."""


class InsufficientStock(Refusal):
    """Fewer units are available than asked for."""


class StockLimitExceeded(Refusal):
    """No more than 1,000,000,000 units can be on hand."""


class ReservationAlreadyUsed(Refusal):
    """A reservation's id can be used only once."""


class ReservationUnknown(Refusal):
    """No units were set aside under this reservation."""


class ReservationConsumed(Refusal):
    """Nothing remains of the reservation: it was shipped or released."""


class ReservationExceeded(Refusal):
    """The reservation holds fewer units than asked for."""


class TransferAlreadyRecorded(Refusal):
    """A transfer leaves a location once and arrives at a location once."""


class TransferUnbalanced(Refusal):
    """Of a transfer, the units that came in and those lost must add up to the units sent."""


class CountBelowQuarantined(Refusal):
    """A count can't find fewer units than are in quarantine; release or scrap those first."""


class AdjustmentWithoutChange(Refusal):
    """An adjustment must add or remove units."""


class QuarantineExceeded(Refusal):
    """Fewer units are in quarantine than asked for."""


class ReasonMissing(Refusal):
    """A reason must be given."""
