"""The event store on PostgreSQL: events, receipts and positions in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg
from eventsourcing import persistence
from eventsourcing.persistence import Tracking as LibraryTracking
from psycopg import Cursor, ProgrammingError
from psycopg.errors import LockNotAvailable, ReadOnlySqlTransaction
from psycopg.rows import DictRow, tuple_row

from adapters.postgres import bronze, cases
from adapters.postgres.errors import OTHERS_FIRST, cut_short, damaged, refused, translated
from adapters.postgres.recorder import EVENTS_SCHEMA, Datastore, Recorder
from application.ports.event_store import (
    READ_BYTES,
    Batch,
    ConcurrencyConflictError,
    RecordedEvent,
    StoreUnavailableError,
)

log = logging.getLogger(__name__)

_TABLE = f"{EVENTS_SCHEMA}.stored_events"
_LOAD = (
    f"SELECT notification_id, originator_id, originator_version, topic, state FROM {_TABLE} "
    "WHERE originator_id = ANY(%b) ORDER BY originator_id, originator_version"
)
_READ = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM ("
    "SELECT *, sum(octet_length(state)) OVER (ORDER BY notification_id ROWS UNBOUNDED PRECEDING) AS bytes FROM ("
    f"SELECT notification_id, originator_id, originator_version, topic, state FROM {_TABLE} "
    "WHERE notification_id > %s {topics} ORDER BY notification_id LIMIT %s) page) summed "
    f"WHERE bytes <= {READ_BYTES} OR bytes = octet_length(state) ORDER BY notification_id"
)


class PostgresEventStore:
    """The `EventStore` port on the eventsourcing library's recorder."""

    def __init__(self, conninfo: str, *, pool_size: int = 2) -> None:
        self._datastore = Datastore(conninfo, pool_size=pool_size)
        self._recorder = Recorder(self._datastore)

    def append(self, batch: Batch) -> None:
        """Append a batch atomically; see the port."""
        tracking = None
        if batch.tracking is not None:
            tracking = LibraryTracking(batch.tracking.name, batch.tracking.position)

        def keep_messages(cursor: Cursor[DictRow]) -> None:
            bronze.keep(cursor, batch.receipts)
            if batch.after is not None:
                batch.after()
            bronze.settle(cursor, batch.settlements)
            bronze.require_reached(cursor, batch.reached)
            bronze.move(cursor, batch.positions)
            if batch.cases is not None:
                cases.write(cursor, batch.cases)

        try:
            with _translated():
                self._recorder.append(batch.events, tracking=tracking, first=keep_messages)
        except StoreUnavailableError as error:
            if not _waited_for_a_lock(error):
                raise
            with _translated():
                if not (ended := self._recorder.end_frozen()):
                    raise
                log.warning("%d writers had frozen within a COPY and held up others: their sessions were ended", ended)
                self._recorder.append(batch.events, tracking=tracking, first=keep_messages)

    def load(self, stream_ids: Collection[str]) -> dict[str, list[RecordedEvent]]:
        """Return the events of streams, by stream, in one query; see the port."""
        streams: dict[str, list[RecordedEvent]] = {}
        if stream_ids:
            for event in self._query(_LOAD, [list(stream_ids)]):
                streams.setdefault(event.stream_id, []).append(event)
        return streams

    def read(self, after: int, limit: int, topics: Collection[str] = ()) -> list[RecordedEvent]:
        """Return events in global order; see the port."""
        if topics:
            return self._query(_READ.format(topics="AND topic = ANY(%s)"), [after, list(topics), limit])
        return self._query(_READ.format(topics=""), [after, limit])

    def head(self) -> int:
        """Return the position of the last event, 0 where there is none."""
        with _translated():
            return self._recorder.max_notification_id() or 0

    def checkpoint(self, name: str) -> int:
        """Return how far a reader has come, 0 where it never moved."""
        with _translated():
            return self._recorder.max_tracking_id(name) or 0

    def close(self) -> None:
        """Close the connections."""
        self._datastore.close()

    def _query(self, query: str, parameters: list[object]) -> list[RecordedEvent]:
        with _translated(), self._datastore.get_connection() as connection:
            cursor = psycopg.Cursor(connection, row_factory=tuple_row)
            cursor.execute(query.encode(), parameters, binary=True)
            return [RecordedEvent(*row) for row in cursor]


def _waited_for_a_lock(error: BaseException) -> bool:
    causes = [error.__cause__, error.__cause__ and error.__cause__.__cause__]
    return any(isinstance(cause, LockNotAvailable) for cause in causes)


@contextmanager
def _translated() -> Iterator[None]:
    """Translate the library's errors, which wrap the driver's, as well as the driver's own."""
    try:
        with translated():
            yield
    except persistence.IntegrityError as error:
        raise ConcurrencyConflictError(str(error).strip()) from error
    except (persistence.OperationalError, persistence.InterfaceError) as error:
        if isinstance(error.__cause__, OTHERS_FIRST):
            raise ConcurrencyConflictError(str(error).strip()) from error
        raise StoreUnavailableError(f"the database does not answer: {str(error).strip()}") from error
    except persistence.ProgrammingError as error:
        # A class that no value leads to: "syntax error or access rule violation", so a right or a table is missing.
        if isinstance(cause := error.__cause__, ProgrammingError) and (cause.sqlstate or "").startswith("42"):
            raise refused(cause) from error
        raise
    except persistence.InternalError as error:
        if isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise StoreUnavailableError(f"the database takes no writes: {str(error).strip()}") from error
        if isinstance(cause := error.__cause__, psycopg.Error) and (own := cut_short(cause) or damaged(cause)):
            raise own from error
        raise
