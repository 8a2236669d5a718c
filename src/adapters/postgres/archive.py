"""The messages as received, from bronze."""

from __future__ import annotations

from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.ports.archive import ArchivedMessage

_FIND = (
    'SELECT topic, partition, "offset", key, message_id, outcome, received_at, payload FROM bronze.messages '
    "WHERE message_id = %s AND outcome <> 'duplicate'"
)


class PostgresArchive:
    """The `Archive` port; see there."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def find(self, message_id: str) -> ArchivedMessage | None:
        """Return the message with an id as it came first."""
        with translated(), self._pool.connection() as connection:
            row = connection.execute(_FIND, [message_id]).fetchone()
        return ArchivedMessage(*row) if row else None
