"""States that were used last stay in memory, others are loaded again; one that another writer passed is not trusted."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from application.aggregates import INVENTORY
from application.ingest.states import States
from application.ports.event_store import ConcurrencyConflictError, RecordedEvent
from domain.inventory.state import Stock
from tests.unit.application.processes.house import received, tell


class Asked(MemoryEventStore):
    """A store that notes which streams it is asked for."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.asked: list[str] = []

    def load(self, stream_ids: Collection[str]) -> dict[str, list[RecordedEvent]]:
        self.asked.append("".join(sorted(each[len("inventory-")] for each in stream_ids)))
        return super().load(stream_ids)


@pytest.fixture
def store() -> Asked:
    store = Asked()
    tell(store, *(received(product_id, "main", 5) for product_id in "abc"))
    store.asked.clear()
    return store


def stock(product_id: str) -> str:
    return f"inventory-{product_id}@main"


def test_states_that_were_used_last_stay_and_the_others_are_loaded_again(store: Asked) -> None:
    states = States(store, 2)
    for products in ("a", "b", "ab", "a", "c", "a", "ac", "b"):
        loaded = states.load({stock(each): INVENTORY for each in products})
        for each in products:
            state, version = loaded[stock(each)]
            assert isinstance(state, Stock)
            assert (state.on_hand, version) == (5, 1)
    assert store.asked == ["a", "b", "", "", "c", "", "", "b"]


def test_a_stream_without_events_has_no_state_yet(store: Asked) -> None:
    assert States(store, 2).load({stock("x"): INVENTORY})[stock("x")] == (None, 0)


def test_a_state_is_current_unless_another_writer_passed_it_since_it_was_loaded(store: Asked) -> None:
    states = States(store, 9)
    states.load({stock("a"): INVENTORY})
    states.require_current({stock("a"): 1})
    states.load({stock("b"): INVENTORY})
    states.require_current({stock("a"): 1, stock("b"): 1})
    assert store.asked == ["a", "", "b", "a"], "what was just loaded is not asked for again"
    tell(store, received("a", "main", 1))
    with pytest.raises(ConcurrencyConflictError, match="inventory-a@main was changed"):
        states.require_current({stock("a"): 1})
    states.forget()
    assert states.load({stock("a"): INVENTORY})[stock("a")][1] == 2
