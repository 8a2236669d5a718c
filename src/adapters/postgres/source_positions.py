"""How far topics of other systems were read, and which topics these are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psycopg
from psycopg.types.json import Jsonb

from application.ports.event_store import ConcurrencyConflictError
from application.ports.message_stream import Partition, RecreatedTopicError
from application.ports.source_ledger import PositionsWentBackError

_TOPICS = "SELECT topic, id, starts FROM sources.topics WHERE source = %s AND topic = ANY(%s) ORDER BY topic FOR UPDATE"
_POSITIONS = "SELECT topic, partition, next_offset FROM sources.positions WHERE source = %s"
_KNOW = (
    "INSERT INTO sources.topics (source, topic, id, starts) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (source, topic) DO UPDATE SET id = excluded.id, starts = excluded.starts"
)
_MOVE = (
    "INSERT INTO sources.positions (source, topic, partition, next_offset) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (source, topic, partition) DO UPDATE SET next_offset = excluded.next_offset "
    "WHERE positions.next_offset <= %s"
)

_WENT_BACK = (
    "SELECT topic, partition, reached, coalesce(next_offset, 0) AS stands "
    "FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS r (topic, partition, reached) "
    "LEFT JOIN (SELECT * FROM sources.positions WHERE source = %s) p USING (topic, partition) "
    "WHERE coalesce(next_offset, 0) < reached ORDER BY topic, partition LIMIT 1"
)

_STILL = (
    "SELECT t.topic FROM sources.topics t JOIN unnest(%s::text[], %s::text[]) AS claimed (topic, id) USING (topic, id) "
    "WHERE source = %s ORDER BY t.topic FOR SHARE OF t"
)


def positions_of(connection: psycopg.Connection, source: str) -> dict[Partition, int]:
    """Return the offset to go on from in each partition."""
    rows = connection.execute(_POSITIONS, [source])
    return {Partition(topic, number): offset for topic, number, offset in rows}


def claim_topics(
    connection: psycopg.Connection,
    source: str,
    ids: Mapping[str, str],
    *,
    accept_recreated: bool,
    reread: Collection[str],
) -> dict[Partition, int]:
    """Return where the offsets of topics begin to count, in the transaction of the connection; see the port."""
    known = {topic: (known_id, starts) for topic, known_id, starts in connection.execute(_TOPICS, [source, list(ids)])}
    # Only now: whoever moves a position holds the topics that are waited for.
    positions = positions_of(connection, source)
    begin: dict[Partition, int] = {}
    anew = []
    for topic, topic_id in ids.items():
        known_id, texts = known.get(topic, (None, {}))
        starts = {Partition(topic, int(number)): start for number, start in texts.items()}
        begins_anew = known_id not in {None, topic_id}
        if begins_anew or topic in reread:
            ended = {place: end for place, end in positions.items() if place.topic == topic}
            if begins_anew and any(end > starts.get(place, 0) for place, end in ended.items()):
                anew.append(topic)
            starts |= ended
        if known_id != topic_id or topic in reread:
            numbered = {str(place.number): start for place, start in starts.items()}
            connection.execute(_KNOW, [source, topic, topic_id, Jsonb(numbered)])
        begin |= starts
    if anew and not accept_recreated:
        raise RecreatedTopicError(
            f"{', '.join(sorted(anew))}: deleted and created anew since messages were taken in, so that positions in "
            "it mean nothing. Run again with --accept-recreated to read it from its first message; what the old one "
            "held beyond its positions is gone"
        )
    return begin


def move_positions(
    connection: psycopg.Connection,
    source: str,
    positions: Mapping[Partition, int],
    read_from: Mapping[Partition, int],
    ids: Mapping[str, str],
    *,
    reached: Mapping[Partition, int] = {},
) -> None:
    """Move positions in the transaction of the connection, each forward from where was read; see the port.

    `ids` are those of the topics that were claimed by whoever moves: what they read of one that was created anew
    since, and claimed by another process, says nothing about this one.
    """
    topics = sorted({place.topic for place in positions} & ids.keys())
    claimed = [ids[topic] for topic in topics]
    if topics and len(connection.execute(_STILL, [topics, claimed, source]).fetchall()) != len(topics):
        raise ConcurrencyConflictError(f"another process takes in {source}, of topics that were created anew")
    _require_reached(connection, source, reached)
    for partition, offset in positions.items():
        begun = read_from.get(partition, offset)
        if connection.execute(_MOVE, [source, *partition, offset, begun]).rowcount != 1:
            raise ConcurrencyConflictError(f"another process takes in {source} as well")


def _require_reached(connection: psycopg.Connection, source: str, reached: Mapping[Partition, int]) -> None:
    """Check that no position went back, as they do on a server that lost what the one before it had committed."""
    columns = [[p.topic for p in reached], [p.number for p in reached], list(reached.values())]
    if reached and (row := connection.execute(_WENT_BACK, [*columns, source]).fetchone()) is not None:
        topic, number, before, stands = row
        raise PositionsWentBackError(
            f"the position of {source} in {topic}/{number} was {before} and is {stands}: "
            "the database lost what was committed"
        )
