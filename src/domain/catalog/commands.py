"""What may be asked of the catalog: register, revise, retire. `occurred_at` is business time."""

from __future__ import annotations

from datetime import datetime

from domain.catalog.details import (
    CarrierDetails,
    CustomerDetails,
    LocationDetails,
    ProductDetails,
    SupplierDetails,
)
from domain.shared.record import record


@record
class RegisterProduct(ProductDetails):
    """Enter a new product."""

    product_id: str
    occurred_at: datetime


@record
class ReviseProduct(ProductDetails):
    """Replace all that is known of a product."""

    product_id: str
    occurred_at: datetime


@record
class RetireProduct:
    """A product is no longer used."""

    product_id: str
    occurred_at: datetime


@record
class RegisterSupplier(SupplierDetails):
    """Enter a new supplier."""

    supplier_id: str
    occurred_at: datetime


@record
class ReviseSupplier(SupplierDetails):
    """Replace all that is known of a supplier."""

    supplier_id: str
    occurred_at: datetime


@record
class RetireSupplier:
    """A supplier is no longer used."""

    supplier_id: str
    occurred_at: datetime


@record
class RegisterCustomer(CustomerDetails):
    """Enter a new customer."""

    customer_id: str
    occurred_at: datetime


@record
class ReviseCustomer(CustomerDetails):
    """Replace all that is known of a customer."""

    customer_id: str
    occurred_at: datetime


@record
class RetireCustomer:
    """A customer is no longer used."""

    customer_id: str
    occurred_at: datetime


@record
class RegisterCarrier(CarrierDetails):
    """Enter a new carrier."""

    carrier_id: str
    occurred_at: datetime


@record
class ReviseCarrier(CarrierDetails):
    """Replace all that is known of a carrier."""

    carrier_id: str
    occurred_at: datetime


@record
class RetireCarrier:
    """A carrier is no longer used."""

    carrier_id: str
    occurred_at: datetime


@record
class RegisterLocation(LocationDetails):
    """Enter a new location."""

    location_id: str
    occurred_at: datetime


@record
class ReviseLocation(LocationDetails):
    """Replace all that is known of a location."""

    location_id: str
    occurred_at: datetime


@record
class RetireLocation:
    """A location is no longer used."""

    location_id: str
    occurred_at: datetime


KIND_OF: dict[type, str] = {
    RegisterProduct: "product",
    ReviseProduct: "product",
    RetireProduct: "product",
    RegisterSupplier: "supplier",
    ReviseSupplier: "supplier",
    RetireSupplier: "supplier",
    RegisterCustomer: "customer",
    ReviseCustomer: "customer",
    RetireCustomer: "customer",
    RegisterCarrier: "carrier",
    ReviseCarrier: "carrier",
    RetireCarrier: "carrier",
    RegisterLocation: "location",
    ReviseLocation: "location",
    RetireLocation: "location",
}
COMMANDS: tuple[type, ...] = tuple(KIND_OF)
