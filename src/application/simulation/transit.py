"""A shipment on its way: seen, late, in trouble, and in the end delivered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from application.simulation.geography import waypoint
from application.simulation.orders import OpenOrder
from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings
from domain.shipment.commands import (
    AttemptDelivery,
    RaiseShipmentException,
    ReportShipmentDelay,
    ReportShipmentLocation,
    ResolveShipmentException,
    ReviseEta,
    ShipmentCommand,
)

DELAYS = ("customs clearance", "bad weather", "vehicle breakdown", "traffic", "missed connection", "strike")
TROUBLES = {
    "damage": "packaging damaged, goods checked",
    "address": "address confirmed with the customer",
    "customs": "missing papers supplied",
    "temperature": "goods inspected and accepted",
}
FAILURES = ("nobody at the address", "reception closed", "access blocked")
LAST_DELIVERY_HOUR = 18


class Parcel(NamedTuple):
    """A shipment of an order under way; it left at `dispatched_at`."""

    shipment_id: str
    order: OpenOrder
    dispatched_at: datetime
    planned_delivery_at: datetime


class Transit:
    """Draws what happens on the way and gives it out when it happens."""

    def __init__(self, settings: SimulationSettings, schedule: Schedule) -> None:
        self._settings = settings
        self._schedule = schedule
        self._chance = settings.random("transit")

    def travel(self, parcel: Parcel) -> Process:
        """Give out what is reported on the way; ends when the shipment arrives."""
        arrival = self._arrival(parcel)
        steps = [*self._sightings(parcel, arrival), *self._mishaps(parcel, arrival)]
        if arrival > parcel.planned_delivery_at:
            steps += self._delay(parcel, arrival)
        for step in sorted(steps, key=lambda each: each.occurred_at):
            yield step.occurred_at
            self._schedule.emit(step, parcel.order.order_id)
        yield arrival

    def _arrival(self, parcel: Parcel) -> datetime:
        chance, planned = self._chance, parcel.planned_delivery_at
        if chance.random() < self._settings.delay_share * parcel.order.lateness:
            return planned + timedelta(days=chance.randint(1, 4), minutes=chance.randint(-480, -30))
        usual = parcel.dispatched_at + parcel.order.transit * chance.uniform(0.8, 1.1)
        return min(usual.replace(microsecond=0), planned - timedelta(minutes=chance.randint(0, 120)))

    def _sightings(self, parcel: Parcel, arrival: datetime) -> list[ShipmentCommand]:
        origin, destination = parcel.order.customer.warehouse.city, parcel.order.customer.city
        tenths = sorted(self._chance.sample(range(1, 10), self._chance.randint(1, 4)))
        return [
            ReportShipmentLocation(
                shipment_id=parcel.shipment_id,
                occurred_at=_moment(parcel, arrival, tenth / 10),
                **waypoint(origin, destination, tenth)._asdict(),
            )
            for tenth in tenths
        ]

    def _delay(self, parcel: Parcel, arrival: datetime) -> list[ShipmentCommand]:
        reason = self._chance.choice(DELAYS)
        known_at = _moment(parcel, arrival, self._chance.uniform(0.3, 0.7))
        minutes = int((arrival - parcel.planned_delivery_at).total_seconds() // 60)
        shipment_id = parcel.shipment_id
        return [
            ReportShipmentDelay(shipment_id=shipment_id, occurred_at=known_at, delay_minutes=minutes, reason=reason),
            ReviseEta(shipment_id=shipment_id, occurred_at=known_at, eta=arrival, reason=reason),
        ]

    def _mishaps(self, parcel: Parcel, arrival: datetime) -> list[ShipmentCommand]:
        steps: list[ShipmentCommand] = []
        if self._chance.random() < self._settings.exception_share:
            steps += self._trouble(parcel, arrival)
        if self._chance.random() < self._settings.failed_attempt_share:
            steps.append(
                AttemptDelivery(
                    shipment_id=parcel.shipment_id,
                    occurred_at=_moment(parcel, arrival, 0.95),
                    reason=self._chance.choice(FAILURES),
                )
            )
        return steps

    def _trouble(self, parcel: Parcel, arrival: datetime) -> list[ShipmentCommand]:
        kind = self._chance.choice(tuple(TROUBLES))
        exception_id = f"{parcel.shipment_id}/{kind}"
        return [
            RaiseShipmentException(
                shipment_id=parcel.shipment_id,
                occurred_at=_moment(parcel, arrival, 0.35),
                exception_id=exception_id,
                kind=kind,
            ),
            ResolveShipmentException(
                shipment_id=parcel.shipment_id,
                occurred_at=_moment(parcel, arrival, self._chance.uniform(0.4, 0.9)),
                exception_id=exception_id,
                resolution=TROUBLES[kind],
            ),
        ]


def delivery_slot(day: date) -> datetime:
    """Return the end of a day's deliveries."""
    return datetime.combine(day, time(LAST_DELIVERY_HOUR), tzinfo=UTC)


def _moment(parcel: Parcel, arrival: datetime, share: float) -> datetime:
    """Return the moment at which so much of the way's time has passed, on a whole second."""
    moment = parcel.dispatched_at + (arrival - parcel.dispatched_at) * share
    return moment.replace(microsecond=0)
