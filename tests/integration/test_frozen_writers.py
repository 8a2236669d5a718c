"""A process that froze within a transaction holds up the others for a bounded time, whatever it was doing."""

from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from adapters.postgres import recorder
from adapters.postgres.event_store import PostgresEventStore
from application.ports.event_store import Batch, StoreUnavailableError
from application.ports.inbox import Outcome, Receipt

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECEIVED = Batch(receipts=[Receipt("orders", 0, 0, "key", b"{}", "s 1", Outcome.APPLIED, NOW)])
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
