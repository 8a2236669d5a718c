"""What happened to the catalog's entries; each event carries all that is known from then on."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from domain.catalog.details import (
    CarrierDetails,
    CustomerDetails,
    LocationDetails,
    ProductDetails,
    SupplierDetails,
)
from domain.shared.record import record


@record
class ProductRegistered(ProductDetails):
    """A new product was entered."""

    TOPIC: ClassVar[str] = "ProductRegistered.v1"

    occurred_at: datetime
    product_id: str


@record
class ProductRevised(ProductDetails):
    """A product's attributes were replaced."""

    TOPIC: ClassVar[str] = "ProductRevised.v1"

    occurred_at: datetime
    product_id: str


@record
class ProductRetired:
    """A product is no longer used."""

    TOPIC: ClassVar[str] = "ProductRetired.v1"

    occurred_at: datetime
    product_id: str


@record
class SupplierRegistered(SupplierDetails):
    """A new supplier was entered."""

    TOPIC: ClassVar[str] = "SupplierRegistered.v1"

    occurred_at: datetime
    supplier_id: str


@record
class SupplierRevised(SupplierDetails):
    """A supplier's attributes were replaced."""

    TOPIC: ClassVar[str] = "SupplierRevised.v1"

    occurred_at: datetime
    supplier_id: str


@record
class SupplierRetired:
    """A supplier is no longer used."""

    TOPIC: ClassVar[str] = "SupplierRetired.v1"

    occurred_at: datetime
    supplier_id: str


@record
class CustomerRegistered(CustomerDetails):
    """A new customer was entered."""

    TOPIC: ClassVar[str] = "CustomerRegistered.v1"

    occurred_at: datetime
    customer_id: str


@record
class CustomerRevised(CustomerDetails):
    """A customer's attributes were replaced."""

    TOPIC: ClassVar[str] = "CustomerRevised.v1"

    occurred_at: datetime
    customer_id: str


@record
class CustomerRetired:
    """A customer is no longer used."""

    TOPIC: ClassVar[str] = "CustomerRetired.v1"

    occurred_at: datetime
    customer_id: str


@record
class CarrierRegistered(CarrierDetails):
    """A new carrier was entered."""

    TOPIC: ClassVar[str] = "CarrierRegistered.v1"

    occurred_at: datetime
    carrier_id: str


@record
class CarrierRevised(CarrierDetails):
    """A carrier's attributes were replaced."""

    TOPIC: ClassVar[str] = "CarrierRevised.v1"

    occurred_at: datetime
    carrier_id: str


@record
class CarrierRetired:
    """A carrier is no longer used."""

    TOPIC: ClassVar[str] = "CarrierRetired.v1"

    occurred_at: datetime
    carrier_id: str


@record
class LocationRegistered(LocationDetails):
    """A new location was entered."""

    TOPIC: ClassVar[str] = "LocationRegistered.v1"

    occurred_at: datetime
    location_id: str


@record
class LocationRevised(LocationDetails):
    """A location's attributes were replaced."""

    TOPIC: ClassVar[str] = "LocationRevised.v1"

    occurred_at: datetime
    location_id: str


@record
class LocationRetired:
    """A location is no longer used."""

    TOPIC: ClassVar[str] = "LocationRetired.v1"

    occurred_at: datetime
    location_id: str


CatalogEvent = (
    ProductRegistered
    | ProductRevised
    | ProductRetired
    | SupplierRegistered
    | SupplierRevised
    | SupplierRetired
    | CustomerRegistered
    | CustomerRevised
    | CustomerRetired
    | CarrierRegistered
    | CarrierRevised
    | CarrierRetired
    | LocationRegistered
    | LocationRevised
    | LocationRetired
)
