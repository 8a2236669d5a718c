"""Sources that send orders, receipts and carriers' reports only: the platform's processes decide the rest."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from application.simulation.settings import SimulationSettings
from application.simulation.simulation import DECIDED_BY_PLATFORM, messages_by_day, simulate
from domain.shipment.commands import DispatchShipment
from entrypoints.cli.context import platform
from entrypoints.cli.demo import past_day_by_day
from entrypoints.settings import Settings
from tests.unit.application.processes.house import state_of

MADE = SimulationSettings(
    start=datetime(2026, 1, 5, tzinfo=UTC), seed=3, orders=60, days=14, return_share=0.5, platform_decides=True
)


def test_such_sources_send_no_decisions_and_each_message_once_whether_by_day_or_not() -> None:
    told = list(simulate(MADE))
    assert not {type(timed.command) for timed in told} & DECIDED_BY_PLATFORM
    assert sum(len(day) for day in messages_by_day(MADE)) == len(told)


def test_nothing_is_refused_and_nothing_left_undecided(prepared: str, tmp_path: Path) -> None:
    with platform(Settings(home=tmp_path, database_url=prepared)) as container:
        past_day_by_day(container, MADE)
        balance = container.inbox().balance()
        assert (balance.applied, balance.quarantined) == (balance.received, 0)
        cases = [case for name in ("fulfilment", "enrichment") for case in container.cases().cases(name)]
        assert cases == []
        store = container.event_store()
        counted = Counter(event.topic.rpartition(".v")[0] for event in store.read(0, 100_000))
        dispatched = sum(isinstance(timed.command, DispatchShipment) for timed in simulate(MADE))
        assert counted["RouteMeasured"] == counted["ShipmentDispatched"] == dispatched > 0
        assert counted["StockReserved"] == counted["OrderLineAllocated"] > 0
        assert counted["OrderLineShipped"] == counted["StockShipped"] >= counted["OrderLineDelivered"] > 0
        placed = {event.stream_id for event in store.read(0, 100_000, ("OrderPlaced.v1",))}
        assert all(not line.open for order in placed for line in state_of(store, order)[0].lines.values())
