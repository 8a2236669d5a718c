"""The attributes of each kind of catalog entry."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDetails:
    """What is known of a product; price and cost per unit, in `currency` (ISO 4217)."""

    name: str
    category: str | None = None
    supplier_id: str | None = None
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierDetails:
    """What is known of a supplier; coordinates in degrees (WGS 84), lead time in days."""

    name: str
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    lead_time_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails:
    """What is known of a customer; coordinates in degrees (WGS 84)."""

    name: str
    segment: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierDetails:
    """What is known of a carrier."""

    name: str
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationDetails:
    """What is known of a location that keeps stock; coordinates in degrees (WGS 84)."""

    name: str
    kind: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
