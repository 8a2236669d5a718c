"""Read what was received, and what is in quarantine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.ports.inbox import Balance, Quarantined, QuarantineStatus
from application.ports.message_stream import Partition

_BALANCE = (
    "SELECT count(*), count(*) FILTER (WHERE outcome = 'applied'), "
    "count(*) FILTER (WHERE outcome = 'duplicate'), count(*) FILTER (WHERE outcome = 'quarantined') "
    "FROM bronze.messages "
    "WHERE %(source)s::text IS NULL OR starts_with(message_id, %(source)s || ' ')"
)
_WAITING = "SELECT code, count(*) FROM bronze.quarantine WHERE status = 'open' GROUP BY code ORDER BY code"
_SEEN = "SELECT message_id FROM bronze.messages WHERE message_id = ANY(%(ids)b) AND outcome <> 'duplicate'"
_QUARANTINE = (
    'SELECT q.quarantine_id, q.status, q.code, q.detail, q.source, q.topic, q.partition, q."offset", m.key, '
    "m.stream_id, m.message_id, octet_length(m.payload), m.received_at, q.actor, q.note, q.settled_at "
    'FROM bronze.quarantine q JOIN bronze.messages m USING (topic, partition, "offset") '
    "WHERE (%(ids)s::bigint[] IS NULL OR q.quarantine_id = ANY(%(ids)s)) "
    "AND (%(status)s::text IS NULL OR q.status = %(status)s) "
    "AND (%(code)s::text IS NULL OR q.code = %(code)s) "
    "ORDER BY q.quarantine_id LIMIT %(limit)s"
)
_PAYLOADS = (
    "SELECT q.quarantine_id, m.payload "
    'FROM bronze.quarantine q JOIN bronze.messages m USING (topic, partition, "offset") '
    "WHERE q.quarantine_id = ANY(%(ids)s::bigint[])"
)


class PostgresInbox:
    """The `Inbox` port on PostgreSQL."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset to go on from for each partition."""
        rows = self._query("SELECT topic, partition, next_offset FROM bronze.positions", {})
        return {Partition(topic, number): offset for topic, number, offset in rows}

    def seen(self, message_ids: Collection[str]) -> set[str]:
        """Return those ids that were received before."""
        if not message_ids:
            return set()
        return {row[0] for row in self._query(_SEEN, {"ids": list(message_ids)})}

    def balance(self, source: str | None = None) -> Balance:
        """Count what was received and what became of it."""
        return Balance(*self._query(_BALANCE, {"source": source})[0])

    def waiting(self) -> dict[str, int]:
        """Count the messages open in quarantine by the code of their reason."""
        return dict(self._query(_WAITING, {}))

    def quarantine(
        self,
        ids: Sequence[int] = (),
        *,
        status: QuarantineStatus | None = None,
        code: str | None = None,
        limit: int | None = None,
    ) -> list[Quarantined]:
        """Return quarantined messages in the order they were received."""
        wanted = {"ids": list(ids) or None, "status": status, "code": code, "limit": limit}
        rows = self._query(_QUARANTINE, wanted)
        return [Quarantined(row[0], QuarantineStatus(row[1]), *row[2:]) for row in rows]

    def payloads(self, quarantine_ids: Collection[int]) -> dict[int, bytes]:
        """Return the payloads of quarantined messages by id; see the port."""
        return dict(self._query(_PAYLOADS, {"ids": list(quarantine_ids)}, binary=True))

    def _query(self, query: str, parameters: Mapping[str, Any], *, binary: bool = False) -> list[tuple[Any, ...]]:
        with translated(), self._pool.connection() as connection:
            return connection.execute(query.encode(), parameters, binary=binary).fetchall()
