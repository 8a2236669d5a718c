"""Under which leaders messages were written, kept in the database that holds their positions."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.ports.message_stream import Partition

_BEGAN = (
    "INSERT INTO bronze.leader_epochs AS known (topic_id, partition, epoch, first_offset) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (topic_id, partition, epoch) DO UPDATE SET first_offset = excluded.first_offset "
    "WHERE excluded.first_offset < known.first_offset"
)
_BEFORE = (
    "SELECT topic, partition, max(epoch) "
    "FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::text[]) "
    "AS p (topic, partition, own, kept, topic_id) JOIN bronze.leader_epochs e USING (topic_id, partition) "
    "WHERE e.first_offset < own AND EXISTS ("
    "SELECT FROM bronze.messages m "
    'WHERE m.topic = p.topic AND m.partition = p.partition AND m."offset" = p.kept - 1) '
    "GROUP BY topic, partition"
)


class PostgresLeaderEpochs:
    """Keeps where the messages of each leader epoch begin; see `LeaderEpochs` of the Kafka adapter.

    `starts` says where the offsets of the log begin in the positions.
    """

    def __init__(self, pool: ConnectionPool, starts: Mapping[Partition, int]) -> None:
        self._pool = pool
        self._starts = starts

    def began(self, topic_id: str, number: int, epoch: int, offset: int) -> None:
        """Keep the first offset of an epoch.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with translated(), self._pool.connection() as connection:
            connection.execute(_BEGAN, [topic_id, number, epoch, offset])

    def before(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> dict[Partition, int]:
        """Return the epoch of the message before each position, where that message was taken in and is still kept.

        Where something that is no message lies between the two, its epoch is not known.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        rows = [
            (*place, own, own + self._starts.get(place, 0), topic_ids[place.topic])
            for place, own in positions.items()
            if place.topic in topic_ids
        ]
        if not rows:
            return {}
        columns = [list(column) for column in zip(*rows, strict=True)]
        with translated(), self._pool.connection() as connection:
            found = connection.execute(_BEFORE, columns).fetchall()
        return {Partition(topic, number): epoch for topic, number, epoch in found}
