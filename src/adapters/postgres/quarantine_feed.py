"""Which quarantined messages were handed on: a mark in the row of each."""

from __future__ import annotations

from collections.abc import Collection

from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated

_PENDING = "SELECT quarantine_id FROM bronze.quarantine WHERE NOT handed_on ORDER BY quarantine_id LIMIT %s"
_COUNT = "SELECT count(*) FROM bronze.quarantine WHERE NOT handed_on"
_MARK = "UPDATE bronze.quarantine SET handed_on = true WHERE quarantine_id = ANY(%s)"


class PostgresQuarantineFeed:
    """The `QuarantineFeed` port on PostgreSQL."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def pending(self, limit: int) -> list[int]:
        """Return ids of quarantined messages that were not handed on; see the port."""
        with translated(), self._pool.connection() as connection:
            return [number for (number,) in connection.execute(_PENDING, [limit])]

    def pending_count(self) -> int:
        """Count the messages that were not handed on."""
        with translated(), self._pool.connection() as connection:
            ((count,),) = connection.execute(_COUNT)
            return int(count)

    def mark(self, quarantine_ids: Collection[int]) -> None:
        """Note that messages were handed on; see the port."""
        with translated(), self._pool.connection() as connection:
            connection.execute(_MARK, [list(quarantine_ids)])
