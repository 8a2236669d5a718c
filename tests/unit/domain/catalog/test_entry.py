"""A catalog entry of each kind: every event, every refusal."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from domain.catalog import commands, details, errors, events
from domain.catalog.entry import Entry, decide, evolve
from domain.shared.refusal import InvalidAmount, InvalidCoordinates
from tests.unit.domain.scenario import Scenario

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
UNKNOWN = Scenario(decide, evolve)


class Kind(NamedTuple):
    """The commands of one kind with the events they cause; `revise` changes one attribute of `register`."""

    register: Any
    registered: Any
    revise: Any
    revised: Any
    retire: Any
    retired: Any
    details: Any


def kind(singular, own, attributes, change):
    key = {f"{singular.lower()}_id": "1", "occurred_at": NOON}

    def build(module, name, /, **values):
        return getattr(module, name)(**key, **values)

    return Kind(
        build(commands, f"Register{singular}", **attributes),
        build(events, f"{singular}Registered", **attributes),
        build(commands, f"Revise{singular}", **attributes | change),
        build(events, f"{singular}Revised", **attributes | change),
        build(commands, f"Retire{singular}"),
        build(events, f"{singular}Retired"),
        own(**attributes),
    )


PLACE = {"city": "Lyon", "country": "FR", "latitude": 45.76, "longitude": 4.84}
PRODUCT = kind(
    "Product",
    details.ProductDetails,
    {
        "name": "Bolt",
        "category": "hardware",
        "supplier_id": "U-1",
        "unit_price": Decimal("2.50"),
        "unit_cost": Decimal("1.10"),
        "currency": "EUR",
    },
    {"unit_price": Decimal("2.60")},
)
SUPPLIER = kind(
    "Supplier", details.SupplierDetails, {"name": "Acme", "lead_time_days": 14} | PLACE, {"lead_time_days": 0}
)
CUSTOMER = kind("Customer", details.CustomerDetails, {"name": "Zola", "segment": "retail"} | PLACE, {"segment": None})
CARRIER = kind("Carrier", details.CarrierDetails, {"name": "Express", "mode": "road"}, {"mode": "rail"})
LOCATION = kind("Location", details.LocationDetails, {"name": "East", "kind": "warehouse"} | PLACE, {"name": "North"})

every_kind = pytest.mark.parametrize(
    "kind", [PRODUCT, SUPPLIER, CUSTOMER, CARRIER, LOCATION], ids=lambda each: type(each.details).__name__
)


@every_kind
def test_entry_is_registered_with_all_that_is_known(kind):
    UNKNOWN.when(kind.register).then(kind.registered)
    assert UNKNOWN.given(kind.registered).state == Entry(kind.details, retired=False)


@every_kind
def test_entry_is_registered_once(kind):
    UNKNOWN.given(kind.registered).when(kind.register).refused(errors.CatalogEntryAlreadyRegistered)


@every_kind
def test_retired_entry_is_not_registered_again(kind):
    UNKNOWN.given(kind.registered, kind.retired).when(kind.register).refused(errors.CatalogEntryAlreadyRegistered)


@every_kind
def test_revision_replaces_all_that_is_known(kind):
    registered = UNKNOWN.given(kind.registered)
    registered.when(kind.revise).then(kind.revised)
    assert registered.given(kind.revised).state != registered.state
    registered.given(kind.revised).when(kind.revise).refused(errors.CatalogEntryUnchanged)


@every_kind
def test_revision_that_changes_nothing_is_refused(kind):
    changed_back = UNKNOWN.given(kind.registered, kind.revised)
    unchanged = replace(kind.revise, occurred_at=datetime(2025, 1, 1, tzinfo=UTC))
    changed_back.when(unchanged).refused(errors.CatalogEntryUnchanged)


@every_kind
def test_entry_is_retired_with_its_details_kept(kind):
    UNKNOWN.given(kind.registered).when(kind.retire).then(kind.retired)
    assert UNKNOWN.given(kind.registered, kind.retired).state == Entry(kind.details, retired=True)


@every_kind
def test_what_was_never_registered_is_neither_revised_nor_retired(kind):
    UNKNOWN.when(kind.revise).refused(errors.CatalogEntryNotRegistered)
    UNKNOWN.when(kind.retire).refused(errors.CatalogEntryNotRegistered)


@every_kind
def test_retired_entry_is_neither_revised_nor_retired(kind):
    retired = UNKNOWN.given(kind.registered, kind.retired)
    retired.when(kind.revise).refused(errors.CatalogEntryAlreadyRetired)
    retired.when(kind.retire).refused(errors.CatalogEntryAlreadyRetired)


@every_kind
@pytest.mark.parametrize("name", ["", " \t"])
def test_entry_must_have_a_name(kind, name):
    UNKNOWN.when(replace(kind.register, name=name)).refused(errors.CatalogEntryWithoutName)
    UNKNOWN.given(kind.registered).when(replace(kind.revise, name=name)).refused(errors.CatalogEntryWithoutName)


@pytest.mark.parametrize("attribute", ["unit_price", "unit_cost"])
@pytest.mark.parametrize("amount", [Decimal("-0.01"), Decimal("NaN"), Decimal("0.0000001")])
def test_product_of_an_impossible_amount_is_refused(attribute, amount):
    UNKNOWN.when(replace(PRODUCT.register, **{attribute: amount})).refused(InvalidAmount)
    UNKNOWN.given(PRODUCT.registered).when(replace(PRODUCT.revise, **{attribute: amount})).refused(InvalidAmount)


@pytest.mark.parametrize("kind", [SUPPLIER, CUSTOMER, LOCATION], ids=lambda each: type(each.details).__name__)
@pytest.mark.parametrize("place", [{"latitude": -90.5}, {"longitude": 181.0}, {"longitude": None}])
def test_entry_off_the_globe_is_refused(kind, place):
    UNKNOWN.when(replace(kind.register, **place)).refused(InvalidCoordinates)
    UNKNOWN.given(kind.registered).when(replace(kind.revise, **place)).refused(InvalidCoordinates)


@pytest.mark.parametrize("days", [-1, 3_651])
def test_supplier_of_an_impossible_lead_time_is_refused(days):
    UNKNOWN.when(replace(SUPPLIER.register, lead_time_days=days)).refused(errors.InvalidLeadTime)
    UNKNOWN.given(SUPPLIER.registered).when(replace(SUPPLIER.revise, lead_time_days=days)).refused(
        errors.InvalidLeadTime
    )


def test_entry_may_be_known_by_name_alone():
    register = commands.RegisterSupplier(supplier_id="1", occurred_at=NOON, name="Acme")
    state = UNKNOWN.after(register).state
    assert state == Entry(details.SupplierDetails(name="Acme"))
