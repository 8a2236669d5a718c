"""A catalog entry (product, supplier, customer, carrier, location): registered, revised, retired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from domain.catalog import commands, errors, events
from domain.catalog.details import (
    CarrierDetails,
    CustomerDetails,
    LocationDetails,
    ProductDetails,
    SupplierDetails,
)
from domain.shared.measures import require_amount, require_coordinates
from domain.shared.record import value

Details = ProductDetails | SupplierDetails | CustomerDetails | CarrierDetails | LocationDetails

MAX_LEAD_TIME_DAYS = 3_650


@value
class Entry:
    """What is known of an entry, and whether it is still in use."""

    details: Details
    retired: bool = False


class _Kind(NamedTuple):
    """One kind of entry: its details, and each command with the event that it causes."""

    details: type
    register: tuple[type, type]
    revise: tuple[type, type]
    retire: tuple[type, type]


_KINDS = (
    _Kind(
        ProductDetails,
        (commands.RegisterProduct, events.ProductRegistered),
        (commands.ReviseProduct, events.ProductRevised),
        (commands.RetireProduct, events.ProductRetired),
    ),
    _Kind(
        SupplierDetails,
        (commands.RegisterSupplier, events.SupplierRegistered),
        (commands.ReviseSupplier, events.SupplierRevised),
        (commands.RetireSupplier, events.SupplierRetired),
    ),
    _Kind(
        CustomerDetails,
        (commands.RegisterCustomer, events.CustomerRegistered),
        (commands.ReviseCustomer, events.CustomerRevised),
        (commands.RetireCustomer, events.CustomerRetired),
    ),
    _Kind(
        CarrierDetails,
        (commands.RegisterCarrier, events.CarrierRegistered),
        (commands.ReviseCarrier, events.CarrierRevised),
        (commands.RetireCarrier, events.CarrierRetired),
    ),
    _Kind(
        LocationDetails,
        (commands.RegisterLocation, events.LocationRegistered),
        (commands.ReviseLocation, events.LocationRevised),
        (commands.RetireLocation, events.LocationRetired),
    ),
)


def decide(state: Entry | None, command: Any) -> tuple[events.CatalogEvent, ...]:
    """Return the event that the command causes, or raise a `Refusal`."""
    allow, to_event = _DECIDE[type(command)]
    allow(state, command)
    return (to_event(command),)


def evolve(state: Entry | None, event: events.CatalogEvent) -> Entry:
    """Return the entry after the event."""
    return _EVOLVE[type(event)](state, event)


def _allow_register(state: Entry | None, command: Any) -> None:
    if state is not None:
        raise errors.CatalogEntryAlreadyRegistered
    _require_details(command)


def _allow_revise(state: Entry | None, command: Any) -> None:
    entry = _require_in_use(state)
    _require_details(command)
    if _DETAILS[type(command)](command) == entry.details:
        raise errors.CatalogEntryUnchanged


def _allow_retire(state: Entry | None, _: Any) -> None:
    _require_in_use(state)


def _require_in_use(state: Entry | None) -> Entry:
    if state is None:
        raise errors.CatalogEntryNotRegistered
    if state.retired:
        raise errors.CatalogEntryAlreadyRetired
    return state


def _require_details(details: Details) -> None:
    if not details.name.strip():
        raise errors.CatalogEntryWithoutName
    if isinstance(details, ProductDetails):
        require_amount(details.unit_price)
        require_amount(details.unit_cost)
    elif not isinstance(details, CarrierDetails):
        require_coordinates(details.latitude, details.longitude)
    if isinstance(details, SupplierDetails):
        _require_lead_time(details.lead_time_days)


def _require_lead_time(days: int | None) -> None:
    if days is not None and not 0 <= days <= MAX_LEAD_TIME_DAYS:
        raise errors.InvalidLeadTime(f"(got {days})")


def _copy_to(target: type) -> Callable[[Any], Any]:
    """Return a function that builds a `target` from the attributes of the same names."""
    names = tuple(field.name for field in fields(target))
    values = attrgetter(*names)
    return lambda source: target(**dict(zip(names, values(source), strict=True)))


def _entry_of(details: type) -> Callable[[Entry | None, Any], Entry]:
    copy = _copy_to(details)
    return lambda _, event: Entry(copy(event))


def _retired(state: Entry, _: Any) -> Entry:
    return Entry(state.details, retired=True)


_DETAILS: dict[type, Callable[[Any], Details]] = {kind.revise[0]: _copy_to(kind.details) for kind in _KINDS}
_DECIDE: dict[type, tuple[Callable[[Entry | None, Any], None], Callable[[Any], Any]]] = {
    command: (allow, _copy_to(event))
    for kind in _KINDS
    for allow, (command, event) in (
        (_allow_register, kind.register),
        (_allow_revise, kind.revise),
        (_allow_retire, kind.retire),
    )
}
_EVOLVE: dict[type, Callable[[Any, Any], Entry]] = {
    event: evolve_entry
    for kind in _KINDS
    for evolve_entry, (_, event) in (
        (_entry_of(kind.details), kind.register),
        (_entry_of(kind.details), kind.revise),
        (_retired, kind.retire),
    )
}
