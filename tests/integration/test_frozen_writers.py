"""A process that froze within a transaction holds up the others for a bounded time, whatever it was doing."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from adapters.postgres import bronze, cases, recorder
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.recorder import Datastore
from application.ports.cases import Case, CaseChanges, CaseStatus
from application.ports.event_store import Batch, StoreUnavailableError
from application.ports.inbox import Outcome, Reason, Receipt
from application.ports.message_stream import Partition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECEIVED = Batch(receipts=[Receipt("orders", 0, 0, "key", b"{}", "s 1", Outcome.APPLIED, NOW)])
REASON = Reason("InvalidJson", "not JSON")
QUARANTINED = Receipt("orders", 0, 1, None, b"{", None, Outcome.QUARANTINED, NOW, None, "orders/0@1", REASON)
CASE = Case("fulfilment", "s:1", 1, CaseStatus.WAITING, "order-1", "Waiting", "it waits", 1, NOW)
LOCK = "LOCK TABLE bronze.messages IN SHARE MODE"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LOCK_SECONDS", 0.5)


def test_a_writer_that_froze_within_a_copy_holds_up_the_others_for_a_time(conninfo: str) -> None:
    with (
        closing(PostgresEventStore(conninfo, pool_size=1)) as store,
        closing(psycopg.connect(conninfo)) as frozen,
        closing(psycopg.connect(conninfo)) as other,
    ):
        frozen.execute(LOCK)
        copy = frozen.cursor().copy("COPY bronze.messages (topic) FROM STDIN")
        copy.__enter__()
        another = other.cursor().copy("COPY bronze.positions FROM STDIN")
        another.__enter__()
        store.append(RECEIVED)
        another.__exit__(None, None, None)
        other.commit()
        with pytest.raises(psycopg.OperationalError):
            copy.__exit__(None, None, None)
        assert frozen.closed


def test_a_writer_that_others_hold_up_may_try_again(conninfo: str) -> None:
    with closing(PostgresEventStore(conninfo, pool_size=1)) as store, psycopg.connect(conninfo) as other:
        other.execute(LOCK)
        with pytest.raises(StoreUnavailableError, match="lock timeout"):
            store.append(RECEIVED)
        other.rollback()
        store.append(RECEIVED)


@pytest.mark.parametrize(
    "written",
    [
        lambda cursor: bronze.keep(cursor, [QUARANTINED, QUARANTINED._replace(offset=2)]),
        lambda cursor: bronze.move(cursor, {Partition("orders", 0): 1, Partition("orders", 1): 2}),
        lambda cursor: cases.write(cursor, CaseChanges("fulfilment", noted=[CASE, CASE._replace(event_id="s:2")])),
    ],
    ids=["quarantine", "positions", "cases"],
)
def test_a_writer_that_froze_between_two_statements_loses_its_transaction(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, written: Callable[[Any], None]
) -> None:
    monkeypatch.setattr(recorder, "FROZEN_SECONDS", 1)
    with Datastore(conninfo, pool_size=1) as datastore, datastore.get_connection() as frozen:
        frozen.execute("BEGIN")
        written(frozen.cursor())
        time.sleep(2)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            frozen.execute("SELECT 1")
