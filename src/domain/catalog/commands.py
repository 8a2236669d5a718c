"""What may be asked of the catalog: register, revise, retire. `occurred_at` is business time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.catalog.details import (
    CarrierDetails,
    CustomerDetails,
    LocationDetails,
    ProductDetails,
    SupplierDetails,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProduct(ProductDetails):
    """Enter a new product."""

    product_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseProduct(ProductDetails):
    """Replace all that is known of a product."""

    product_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireProduct:
    """A product is no longer used."""

    product_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSupplier(SupplierDetails):
    """Enter a new supplier."""

    supplier_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseSupplier(SupplierDetails):
    """Replace all that is known of a supplier."""

    supplier_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireSupplier:
    """A supplier is no longer used."""

    supplier_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCustomer(CustomerDetails):
    """Enter a new customer."""

    customer_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseCustomer(CustomerDetails):
    """Replace all that is known of a customer."""

    customer_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireCustomer:
    """A customer is no longer used."""

    customer_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCarrier(CarrierDetails):
    """Enter a new carrier."""

    carrier_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseCarrier(CarrierDetails):
    """Replace all that is known of a carrier."""

    carrier_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireCarrier:
    """A carrier is no longer used."""

    carrier_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLocation(LocationDetails):
    """Enter a new location."""

    location_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseLocation(LocationDetails):
    """Replace all that is known of a location."""

    location_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
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
