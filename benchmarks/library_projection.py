"""The eventsourcing library's projection runner used as its documentation shows: a view in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql

from benchmarks.library import Streams, library_settings
from benchmarks.measure import seconds

PATIENCE = 600.0


class LastEvents(PostgresTrackingRecorder):
    """A view with a row for each stream: how many events it has, and the last of them."""

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self._table = sql.Identifier(self.datastore.schema, "last_events")
        self.sql_create_statements.append(
            sql.SQL("CREATE TABLE IF NOT EXISTS {} (stream uuid PRIMARY KEY, events bigint, last text)").format(
                self._table
            )
        )

    def take_down(self, stream: UUID, last: str, tracking: Tracking) -> None:
        """Count an event, with its tracking, in one transaction."""
        statement = sql.SQL(
            "INSERT INTO {0} VALUES (%s, 1, %s) ON CONFLICT (stream) DO UPDATE SET events = {0}.events + 1, last = %s"
        ).format(self._table)
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, (stream, last, last))
            self._insert_tracking(cursor, tracking)


class LastEventsProjection(Projection[LastEvents]):
    """Keeps the view."""

    name = "last_events"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take down what happened."""
        self.view.take_down(domain_event.originator_id, getattr(domain_event, "data", ""), tracking)


def events_per_second(conninfo: str, events: Sequence[tuple[str, str, str]]) -> float:
    """Return how many events, given as stream, topic and JSON, the runner projects in a second."""
    settings = library_settings(conninfo)
    application = Streams(settings)
    last = 0
    for stream_id, topic, data in events:
        last = application.take(stream_id, topic, data)
    application.close()

    def project() -> None:
        with ProjectionRunner(
            application_class=Streams, projection_class=LastEventsProjection, view_class=LastEvents, env=settings
        ) as runner:
            runner.wait(last, timeout=PATIENCE)

    return last / seconds(project)
