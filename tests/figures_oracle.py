"""Figures by filters, breakdowns, periods and policies, worked out from raw events: no projection, no SQL.

A row has faces: what it is of, once for each of its lines. It meets filters where one face meets all of them, and is of
each member that such a face has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from application.queries.policies import Rule
from tests.independent_fold import Raw

Face = dict[str, str | None]
Members = Mapping[str, Sequence[str | None]]
Days = tuple[date, date] | None
TIME = ("year", "quarter", "month", "week", "day")
_DAY = timedelta(days=1)
_STATUS_AFTER = {f"Shipment{status.title()}": status for status in ("dispatched", "delivered", "returned", "voided")}


class Row(SimpleNamespace):
    """A row of a fact: the `day` on which it counts, its `faces`, and what is measured of it."""

    @cached_property
    def dated(self) -> list[Face]:
        """The faces with the periods of the day."""
        day, (year, week, _) = self.day, self.day.isocalendar()
        parts = f"{day:%Y}", f"{day:%Y}-Q{(day.month + 2) // 3}", f"{day:%Y-%m}", f"{year}-W{week:02}", f"{day}"
        return [{**face, **dict(zip(TIME, parts, strict=True))} for face in self.faces]


class Facts:
    """The rows of each fact that follow from a log."""

    def __init__(self, events: Iterable[Raw]) -> None:
        self.streams: dict[str, list[Raw]] = {}
        for event in events:
            self.streams.setdefault(event.stream_id, []).append(event)
        self.order, self.line, self.shipment, self.movement, self.daily = ([] for _ in range(5))
        self.buyers: dict[str, Face] = {}
        for prefix, take in (("order-", self._order), ("shipment-", self._shipment), ("inventory-", self._moves)):
            for stream_id in [each for each in self.streams if each.startswith(prefix)]:
                take(stream_id)
        for stream_id in [each for each in self.streams if each.startswith("inventory-")]:
            self._days(stream_id, max(row.day for row in self.movement))

    def _entry(self, stream_id: str, when: datetime) -> dict[str, Any]:
        """Return what was known of a member of the catalog then; the first version is of all time before, too."""
        told = [(_at(each), n, each.data) for n, each in enumerate(self.streams.get(stream_id, ()))]
        versions = sorted(told, key=lambda version: version[:2])
        known = [data for since, _, data in versions if since <= when] or [data for _, _, data in versions[:1]]
        return known[-1] if known else {}

    def _product(self, product: str, when: datetime) -> Face:
        known = self._entry(f"product-{product}", when)
        return {"product": product, "supplier": known.get("supplier_id"), "category": known.get("category")}

    def _buyer(self, placed: dict[str, Any], when: datetime) -> Face:
        known = self._entry(f"customer-{placed['customer_id']}", when)
        country = placed["ship_to_country"] or known.get("country")
        whose = {"customer": placed["customer_id"], "segment": known.get("segment")}
        return {**whose, "country": country, "currency": placed["currency"]}

    def _order(self, stream_id: str) -> None:
        placed = self.streams[stream_id][0].data
        order = Row(placed_at=_at(self.streams[stream_id][0]), requested=_day(placed["requested_date"]))
        order.promised = _day(placed["promised_date"])
        lines: dict[int, Row] = {}
        for event in self.streams[stream_id]:
            data = event.data
            for line in data.get("lines", ()):
                if "product_id" in line:
                    lines[line["line_no"]] = _line(line, _at(event))
                lines[line["line_no"]].ordered += line["quantity"]
            if event.kind in {"OrderConfirmed", "PromiseRevised"}:
                order.promised = _day(data["promised_date"])
            elif event.kind == "RequestedDateRevised":
                order.requested = _day(data["requested_date"])
            elif "line_no" in data:
                _happened(lines[data["line_no"]], event)
        self._order_rows(order, lines, placed)

    def _order_rows(self, order: Row, lines: dict[int, Row], placed: dict[str, Any]) -> None:
        buyer = self.buyers[placed["order_id"]] = self._buyer(placed, order.placed_at)
        took = sorted((line.left[0], no) for no, line in lines.items() if line.left)
        carrier = placed["carrier_id"] or (lines[took[0][1]].carrier if took else None)
        order.faces, order.day = [], order.placed_at.date()
        for line in lines.values():
            own = {**self._product(line.product, line.placed_at), "location": line.location, "status": _status(line)}
            order.faces.append({**buyer, "carrier": carrier, **own})
            whose = self._buyer(placed, line.placed_at)
            line.faces = [{**whose, "carrier": placed["carrier_id"] or line.carrier, **own}]
            line.day, line.requested, line.promised = line.placed_at.date(), order.requested, order.promised
            line.net = line.ordered * line.price
        for name in ("ordered", "shipped", "delivered", "cancelled", "net"):
            setattr(order, name, sum(getattr(line, name) for line in lines.values()))
        order.left = sorted(at for line in lines.values() for at in line.left)
        order.arrived = sorted(at for line in lines.values() for at in line.arrived)
        self.order.append(order)
        self.line += lines.values()

    def _shipment(self, stream_id: str) -> None:
        plan, *later = self.streams[stream_id]
        row = Row(day=_at(plan).date(), due=_time(plan.data["planned_delivery_at"]), arrived=None, status="planned")
        for event in later:
            row.status = _STATUS_AFTER.get(event.kind, row.status)
            if event.kind == "ShipmentLocationReported" and row.status == "dispatched":
                row.status = "in_transit"
            if event.kind == "ShipmentDelivered":
                row.arrived = _at(event)
        buyer = self.buyers.get(plan.data["order_id"], {})
        bought = {name: buyer.get(name) for name in ("customer", "segment", "currency")}
        where = {"location": plan.data["origin_location_id"], "country": plan.data["destination_country"]}
        own = {**bought, **where, "carrier": plan.data["carrier_id"], "status": row.status}
        row.faces = [{**own, **self._product(line["product_id"], _at(plan))} for line in plan.data["lines"]]
        self.shipment.append(row)

    def _stock_face(self, stream_id: str, when: datetime) -> Face:
        product, _, location = stream_id.removeprefix("inventory-").partition("@")
        country = self._entry(f"location-{location}", when).get("country")
        currency = self._entry(f"product-{product}", when).get("currency")
        return {**self._product(product, when), "location": location, "country": country, "currency": currency}

    def _moves(self, stream_id: str) -> None:
        before = (0, 0)
        for event in self.streams[stream_id]:
            if "on_hand" not in event.data:
                continue
            data, when, face = event.data, _at(event), self._stock_face(stream_id, _at(event))
            now = data["on_hand"], data["on_hand"] - data["reserved"] - data["quarantined"]
            row = Row(stream_id=stream_id, at=when, day=when.date(), faces=[face], kind=event.kind)
            row.delta, row.available = now[0] - before[0], now[1] - before[1]
            row.worth = row.delta * Decimal(data.get("unit_cost") or 0)
            face["supplier"] = data.get("supplier_id") or face["supplier"]
            face["kind"] = "received" if event.kind == "StockReceived" else "another"
            self.movement.append(row)
            before = now

    def _days(self, stream_id: str, last: date) -> None:
        moves = sorted((row for row in self.movement if row.stream_id == stream_id), key=lambda row: row.at)
        day = moves[0].day if moves else date.max
        while day <= last:
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            end = start + _DAY
            face = self._stock_face(stream_id, end - timedelta(microseconds=1))
            known = self._entry(f"product-{face['product']}", end - timedelta(microseconds=1))
            value = known.get("unit_cost") or known.get("unit_price") or 0
            row = Row(day=day, faces=[face], on_hand=0, available=0, out=Fraction(0))
            done = [move for move in moves if move.at < end]
            for move, until in zip(done, [*(move.at for move in done[1:]), end], strict=True):
                row.on_hand, row.available = row.on_hand + move.delta, row.available + move.available
                if row.available <= 0:
                    row.out += Fraction((max(until, start) - max(move.at, start)) / _DAY)
            row.worth = row.on_hand * Decimal(value)
            self.daily.append(row)
            day += _DAY


def _at(event: Raw) -> datetime:
    return datetime.fromisoformat(event.data["occurred_at"]).astimezone(UTC)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _line(line: dict[str, Any], when: datetime) -> Row:
    price = Decimal(line["unit_price"]) * (1 - Decimal(line["discount"]))
    units = dict.fromkeys(("ordered", "shipped", "delivered", "cancelled", "returned", "backordered", "allocated"), 0)
    row = Row(product=line["product_id"], placed_at=when, price=price, **units)
    row.left, row.arrived, row.location, row.carrier = [], [], None, None
    return row


def _happened(line: Row, event: Raw) -> None:
    data, what = event.data, event.kind.removeprefix("OrderLine").lower()
    line.backordered, line.allocated = (data.get(name, getattr(line, name)) for name in ("backordered", "allocated"))
    if what in {"shipped", "delivered", "cancelled", "returned"}:
        setattr(line, what, getattr(line, what) + data["quantity"])
    if what in {"allocated", "shipped"}:
        line.location = data["location_id"] or line.location
    if what == "shipped":
        if not line.left or _at(event) < min(line.left):
            line.carrier = data["carrier_id"]
        line.left = sorted([*line.left, _at(event)])
    elif what == "delivered":
        line.arrived = sorted([*line.arrived, _at(event)])


def _status(line: Row) -> str:
    wanted = line.ordered - line.cancelled
    whole = [name for name in ("returned", "delivered", "shipped") if getattr(line, name) == wanted]
    if not wanted or whole:
        return whole[0] if wanted else "cancelled"
    if line.shipped:
        return "partly_shipped"
    return "backordered" if line.backordered else "allocated" if line.allocated == wanted else "open"


Figure = int | Decimal | Fraction | None
Measure = Callable[[list[Row]], Figure]
Defined = tuple[str, Callable[[Row], bool], Measure]


def _sum(name: str) -> Measure:
    return lambda rows: sum(getattr(row, name) for row in rows)


def _count(test: Callable[[Row], bool]) -> Measure:
    return lambda rows: sum(test(row) for row in rows)


def _share(part: Measure, whole: Measure) -> Measure:
    return lambda rows: Fraction(part(rows) or 0) / Fraction(whole(rows) or 0) if whole(rows) else None


def kpis(rule: Rule) -> dict[str, Defined]:
    """Return KPIs under a policy: the fact, which of its rows count at all, and the measure."""

    def measured(row: Row) -> bool:
        return bool(getattr(row, moments)) and getattr(row, rule.due) is not None

    def late(row: Row) -> bool:
        last, due = getattr(row, moments)[-1], getattr(row, rule.due)
        if rule.unit == "day":
            return (last.date() - due).days > rule.tolerance
        return last > row.placed_at + (due - row.placed_at.date()) + timedelta(hours=rule.tolerance)

    def otif(row: Row) -> bool:
        wanted = row.ordered - (row.cancelled if rule.cancelled == "excused" else 0)
        return measured(row) and not late(row) and getattr(row, rule.basis) >= rule.in_full * wanted

    moments = {"shipped": "left", "delivered": "arrived"}[rule.basis]
    judged = rule.grain
    every, waits = (lambda _: True), (lambda row: row.backordered > 0)
    received = lambda row: row.kind == "StockReceived"  # noqa: E731
    known = lambda row: row.arrived is not None and row.due is not None  # noqa: E731
    in_time = lambda row: known(row) and row.arrived <= row.due  # noqa: E731
    return {
        "orders": ("order", every, len),
        "average_order_value": ("order", every, _share(_sum("net"), len)),
        "orders_late": (judged, every, _count(lambda row: measured(row) and late(row))),
        "otif_rate": (judged, every, _share(_count(otif), _count(measured))),
        "order_lines": ("line", every, len),
        "net": ("line", every, _sum("net")),
        "fill_rate": ("line", every, _share(_sum("shipped"), lambda r: _sum("ordered")(r) - _sum("cancelled")(r))),
        "units_backordered": ("line", waits, _sum("backordered")),
        "shipments": ("shipment", every, _count(lambda row: row.status != "voided")),
        "shipments_late": ("shipment", every, _count(lambda row: known(row) and row.arrived > row.due)),
        "delivery_on_time_rate": ("shipment", every, _share(_count(in_time), _count(known))),
        "stock_available": ("level", every, _sum("available")),
        "stock_value": ("level", every, _sum("worth")),
        "stock_out_share": ("daily", every, _share(_sum("out"), len)),
        "units_received": ("movement", received, _sum("delta")),
        "spend": ("movement", received, _sum("worth")),
    }


def figures(facts: Facts, kpi: Defined, by: str | None, members: Members, days: Days) -> dict[str | None, Figure]:
    """Return a KPI by member; without a breakdown, under None."""
    fact, meant, measure = kpi
    rows = [row for row in getattr(facts, "daily" if fact == "level" else fact) if meant(row)]
    in_time = {dimension: chosen for dimension, chosen in members.items() if dimension in TIME}
    if days is not None:
        first = date.min if fact == "level" and not in_time and by not in TIME else days[0]
        rows = [row for row in rows if first <= row.day <= days[1]]
    if fact == "level":
        last: dict[str | None, date] = {}
        for row in rows:
            (face, *_) = row.dated
            if _meets(face, in_time):
                period = face[by] if by in TIME else None
                last[period] = max(last.get(period, date.min), row.day)
        rows = [row for row in rows if row.day in last.values()]
    groups: dict[str | None, list[Row]] = {} if by else {None: []}
    for row in rows:
        for member in {face[by] if by else None for face in row.dated if _meets(face, members)}:
            groups.setdefault(member, []).append(row)
    return {member: measure(of_member) for member, of_member in groups.items()}


def _meets(face: Face, members: Members) -> bool:
    return all(face[dimension] in chosen for dimension, chosen in members.items())
