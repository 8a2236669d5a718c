"""The eventsourcing library used as its documentation shows: one `save` for each message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from application.ingest.messages import decode_command, decode_envelope
from application.ports.message_stream import OutgoingMessage
from benchmarks.measure import seconds


class Stream(Aggregate):
    """An aggregate that takes down what happens to it."""

    @event("Opened")
    def __init__(self, stream_id: str) -> None:
        self.stream_id = stream_id
        self.happened = 0

    @event("Happened")
    def take_down(self, type_: str, data: str) -> None:
        """Count what happened; the event keeps it."""
        self.happened += 1

    @staticmethod
    def create_id(stream_id: str) -> UUID:
        """Find a stream by its name."""
        return uuid5(NAMESPACE_URL, stream_id)


class Streams(Application[UUID]):
    """Takes down messages, each in a transaction of its own."""

    def take(self, stream_id: str, type_: str, data: str) -> int:
        """Load the aggregate, change it, save it; return the position of the last event."""
        try:
            stream: Any = self.repository.get(Stream.create_id(stream_id))
        except AggregateNotFoundError:
            stream = Stream(stream_id)
        stream.take_down(type_, data)
        return self.save(stream)[-1].notification.id


def library_settings(conninfo: str) -> dict[str, str]:
    """Return the library's settings for a database."""
    parts = conninfo_to_dict(conninfo)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts.get("port") or 5432),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": "",
    }


def messages_per_second(conninfo: str, messages: Iterable[OutgoingMessage]) -> float:
    """Return how many messages a second the library takes."""
    application = Streams(library_settings(conninfo))
    decoded = []
    for message in messages:
        envelope = decode_envelope(message.payload)
        _, _, stream_id = decode_command(envelope)
        decoded.append((stream_id, envelope.type, bytes(envelope.data).decode()))

    def take_all() -> None:
        for each in decoded:
            application.take(*each)

    elapsed = seconds(take_all)
    application.close()
    return len(decoded) / elapsed
