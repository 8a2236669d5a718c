"""The attributes of each kind of catalog entry."""

from __future__ import annotations

from decimal import Decimal

from domain.shared.record import record


@record
class ProductDetails:
    """What is known of a product; price and cost per unit, in `currency` (ISO 4217)."""

    name: str
    category: str | None = None
    supplier_id: str | None = None
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None
    currency: str | None = None


@record
class SupplierDetails:
    """What is known of a supplier; coordinates in degrees (WGS 84), lead time in days."""

    name: str
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    lead_time_days: int | None = None


@record
class CustomerDetails:
    """What is known of a customer; coordinates in degrees (WGS 84)."""

    name: str
    segment: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@record
class CarrierDetails:
    """What is known of a carrier."""

    name: str
    mode: str | None = None


@record
class LocationDetails:
    """What is known of a location that keeps stock; coordinates in degrees (WGS 84)."""

    name: str
    kind: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
