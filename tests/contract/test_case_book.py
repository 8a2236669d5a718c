"""What every book of cases promises, held against each adapter."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory.event_store import MemoryCaseBook, MemoryDatabase, MemoryEventStore
from adapters.postgres.cases import PostgresCaseBook
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from application.ports.cases import Case, CaseBook, CaseChanges, CaseStatus
from application.ports.event_store import Batch, ConcurrencyConflictError, EventStore, Tracking

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Pair = tuple[EventStore, CaseBook]


@pytest.fixture(params=["memory", "postgres"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "memory":
        database = MemoryDatabase()
        yield MemoryEventStore(database), MemoryCaseBook(database)
        return
    conninfo = request.getfixturevalue("conninfo")
    store = PostgresEventStore(conninfo, pool_size=1)
    with open_pool(conninfo) as pool:
        yield store, PostgresCaseBook(pool)
    store.close()


def case(event_id: str, position: int, status: CaseStatus = CaseStatus.WAITING, attempts: int = 1) -> Case:
    due_at = NOW + timedelta(minutes=1) if status is CaseStatus.WAITING else None
    return Case("p", event_id, position, status, "order-1", "Code", "why", attempts, NOW, due_at)


def test_cases_are_returned_as_they_were_noted_in_the_order_of_the_log(pair: Pair) -> None:
    store, book = pair
    later, earlier = case("b", 9), case("a", 2, CaseStatus.PARKED)
    store.append(Batch(cases=CaseChanges("p", (later, earlier))))
    store.append(Batch(cases=CaseChanges("other", (case("c", 1)._replace(process="other"),))))
    assert book.cases("p") == [earlier, later]
    assert book.cases("p", CaseStatus.WAITING) == book.cases("p", after=2) == [later]
    assert book.cases("p", limit=1) == [earlier]
    assert book.counts("p") == {CaseStatus.WAITING: 1, CaseStatus.PARKED: 1}


def test_a_case_is_there_once_as_it_was_noted_last_until_it_is_closed(pair: Pair) -> None:
    store, book = pair
    store.append(Batch(cases=CaseChanges("p", (case("a", 2),))))
    store.append(Batch(cases=CaseChanges("p", (case("a", 2, CaseStatus.PARKED, attempts=2),))))
    assert book.cases("p") == [case("a", 2, CaseStatus.PARKED, attempts=2)]
    store.append(Batch(cases=CaseChanges("p", closed=("a", "unknown"))))
    assert book.counts("p") == {CaseStatus.WAITING: 0, CaseStatus.PARKED: 0}


def test_cases_are_kept_with_the_checkpoint_or_not_at_all(pair: Pair) -> None:
    store, book = pair
    store.append(Batch(tracking=Tracking("p", 5)))
    with pytest.raises(ConcurrencyConflictError):
        store.append(Batch(tracking=Tracking("p", 5), cases=CaseChanges("p", (case("a", 2),))))
    assert book.cases("p") == []
