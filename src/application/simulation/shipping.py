"""From reserved stock to the customer's door: planned, picked, dispatched, delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from application.simulation.orders import OpenOrder, Reservation
from application.simulation.schedule import Process, Schedule
from application.simulation.settings import SimulationSettings
from application.simulation.stockroom import Stockroom
from application.simulation.transit import Parcel, Transit
from domain.inventory.commands import PickStock
from domain.order.commands import DeliverOrderLines, LineQuantity, ShipOrderLines
from domain.shipment.commands import (
    DeliverShipment,
    DispatchShipment,
    PlanShipment,
    RecordRoute,
    ShipmentLine,
    VoidShipment,
)

ROUTE_PROVIDER = "great-circle"


class Shipping:
    """Plans shipments and sends them."""

    def __init__(self, settings: SimulationSettings, schedule: Schedule, stockroom: Stockroom) -> None:
        self._settings = settings
        self._schedule = schedule
        self._stockroom = stockroom
        self._chance = settings.random("shipping")
        self._transit = Transit(settings, schedule)

    def plan(self, order: OpenOrder, reserved: list[Reservation], planned_delivery_at: datetime) -> str:
        """Plan a shipment of reserved units; return its id."""
        order.shipments += 1
        shipment_id = f"SH{order.order_id.removeprefix('SO')}-{order.shipments}"
        city = order.customer.city
        lines = tuple(
            ShipmentLine(line_no=each.line_no, product_id=each.stock.product.product_id, quantity=each.quantity)
            for each in reserved
        )
        command = PlanShipment(
            shipment_id=shipment_id,
            occurred_at=self._schedule.now,
            order_id=order.order_id,
            lines=lines,
            carrier_id=order.carrier.carrier_id,
            origin_location_id=order.customer.warehouse.location_id,
            destination_city=city.name,
            destination_country=city.country,
            destination_latitude=city.latitude,
            destination_longitude=city.longitude,
            planned_dispatch_at=self._schedule.after(self._chance, 8, 12),
            planned_delivery_at=planned_delivery_at,
        )
        self._emit(order, command)
        return shipment_id

    def void(self, order: OpenOrder, shipment_id: str) -> None:
        """Give up a planned shipment."""
        self._emit(
            order,
            VoidShipment(shipment_id=shipment_id, occurred_at=self._schedule.now, reason="order cancelled"),
        )

    def send(
        self, order: OpenOrder, shipment_id: str, reserved: list[Reservation], planned_delivery_at: datetime
    ) -> Process:
        """Pick, dispatch, let travel and deliver a planned shipment."""
        for each in reserved:
            self._pick(order, each)
        yield self._schedule.after(self._chance, 0.5, 4)
        dispatched_at = self._schedule.now
        lines = tuple(LineQuantity(line_no=each.line_no, quantity=each.quantity) for each in reserved)
        self._dispatch(order, shipment_id, reserved, lines, planned_delivery_at)
        yield from self._transit.travel(Parcel(shipment_id, order, dispatched_at, planned_delivery_at))
        now = self._schedule.now
        self._emit(order, DeliverShipment(shipment_id=shipment_id, occurred_at=now))
        self._emit(
            order,
            DeliverOrderLines(order_id=order.order_id, occurred_at=now, lines=lines, shipment_id=shipment_id),
        )

    def _pick(self, order: OpenOrder, reservation: Reservation) -> None:
        self._emit(
            order,
            PickStock(
                product_id=reservation.stock.product.product_id,
                location_id=reservation.stock.warehouse.location_id,
                occurred_at=self._schedule.now,
                reservation_id=reservation.reservation_id,
                quantity=reservation.quantity,
            ),
        )

    def _dispatch(
        self,
        order: OpenOrder,
        shipment_id: str,
        reserved: list[Reservation],
        lines: tuple[LineQuantity, ...],
        eta: datetime,
    ) -> None:
        now = self._schedule.now
        for each in reserved:
            self._stockroom.ship(each.stock, each.reservation_id, each.quantity, shipment_id, order.order_id)
        self._emit(order, DispatchShipment(shipment_id=shipment_id, occurred_at=now, eta=eta))
        shipped = ShipOrderLines(
            order_id=order.order_id,
            occurred_at=now,
            lines=lines,
            shipment_id=shipment_id,
            carrier_id=order.carrier.carrier_id,
        )
        route = RecordRoute(
            shipment_id=shipment_id,
            occurred_at=now,
            distance_km=round(order.distance_km, 1),
            duration_minutes=None,
            provider=ROUTE_PROVIDER,
        )
        self._emit(order, shipped)
        self._emit(order, route)

    def _emit(self, order: OpenOrder, command: Any) -> None:
        self._schedule.emit(command, order.order_id)
