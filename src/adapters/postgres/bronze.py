"""Write what was received: receipts by COPY, quarantine, settlements, positions.

Many rows are written by one statement, never by `executemany`: after a pipeline, the server's timeout of idle
transactions does not run, so a process that freezes there would hold up all others for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from psycopg import Cursor
from psycopg.rows import DictRow

from adapters.postgres import binary_copy
from adapters.postgres.binary_copy import NULL, int4, int8_and_length, length, text, timestamptz
from application.ports.event_store import ConcurrencyConflictError
from application.ports.inbox import Outcome, QuarantineStatus, Receipt, Settlement
from application.ports.message_stream import Partition

_COPY_MESSAGES = (
    'COPY bronze.messages (topic, partition, "offset", key, message_id, stream_id, outcome, received_at, '
    "payload) FROM STDIN (FORMAT BINARY)"
)
_COLUMNS = (9).to_bytes(2, "big")
_QUARANTINE = (
    'INSERT INTO bronze.quarantine (topic, partition, "offset", source, code, detail) '
    "SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::text[])"
)
_SETTLE = (
    "UPDATE bronze.quarantine SET status = %s, actor = %s, note = %s, settled_at = %s "
    "WHERE quarantine_id = %s AND status = 'open' RETURNING topic, partition, \"offset\""
)
_APPLIED = "UPDATE bronze.messages SET outcome = 'applied' WHERE topic = %s AND partition = %s AND \"offset\" = %s"
_MOVE = (
    "INSERT INTO bronze.positions (topic, partition, next_offset) "
    "SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[]) "
    "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(positions.next_offset, excluded.next_offset)"
)

_WENT_BACK = (
    "SELECT topic, partition, reached, coalesce(next_offset, 0) AS stands "
    "FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS r (topic, partition, reached) "
    "LEFT JOIN bronze.positions USING (topic, partition) WHERE coalesce(next_offset, 0) < reached LIMIT 1"
)


def keep(cursor: Cursor[DictRow], receipts: Sequence[Receipt]) -> None:
    """Keep every message as received; those with a reason go to quarantine as well."""
    if not receipts:
        return
    binary_copy.send(cursor, _COPY_MESSAGES, encoded(receipts))
    quarantined = [
        (r.topic, r.partition, r.offset, r.source, r.reason.code, r.reason.detail)
        for r in receipts
        if r.outcome is Outcome.QUARANTINED and r.reason is not None
    ]
    if quarantined:
        cursor.execute(_QUARANTINE, by_column(quarantined))


def encoded(receipts: Sequence[Receipt]) -> list[bytes]:
    """Return the rows of bronze.messages in parts; the stream of a sound message is kept where it is not the key."""
    parts: list[bytes] = []
    for topic, partition, offset, key, payload, message_id, outcome, received_at, stream_id, _, reason in receipts:
        name = b"" if key is None else key.encode()
        parts += (
            _place(topic, partition),
            int8_and_length(8, offset, -1 if key is None else len(name)),
            name,
            text(message_id),
            NULL if stream_id == key and reason is None else text(stream_id),
            _result(outcome, received_at),
            length(len(payload)),
            payload,
        )
    return parts


@lru_cache(maxsize=4_096)
def _place(topic: str, partition: int) -> bytes:
    """Begin a row: its number of columns, and the first two of them."""
    return _COLUMNS + text(topic) + int4(4, partition)


@lru_cache(maxsize=64)
def _result(outcome: Outcome, received_at: datetime) -> bytes:
    """Encode the columns that many receipts of a batch share."""
    return text(outcome) + timestamptz(received_at)


def settle(cursor: Cursor[DictRow], settlements: Sequence[Settlement]) -> None:
    """Settle quarantined messages; one that is settled already is a conflict."""
    for s in settlements:
        row = cursor.execute(_SETTLE, [s.status.value, s.actor, s.note, s.settled_at, s.quarantine_id]).fetchone()
        if row is None:
            raise ConcurrencyConflictError(f"quarantined message {s.quarantine_id} is settled already")
        if s.status is QuarantineStatus.RETRIED:
            cursor.execute(_APPLIED, [row["topic"], row["partition"], row["offset"]])


def require_reached(cursor: Cursor[DictRow], reached: Mapping[Partition, int]) -> None:
    """Check that no position went back, as they do on a server that lost what the one before it had committed."""
    if not reached:
        return
    cursor.execute(_WENT_BACK, by_column([(p.topic, p.number, offset) for p, offset in reached.items()]))
    if (row := cursor.fetchone()) is not None:
        raise ConcurrencyConflictError(
            f"the position of {row['topic']}/{row['partition']} was {row['reached']} and is {row['stands']}: "
            "the database lost what was committed"
        )


def move(cursor: Cursor[DictRow], positions: Mapping[Partition, int]) -> None:
    """Move the positions to go on from; never back, should somebody else be further."""
    if positions:
        cursor.execute(_MOVE, by_column([(p.topic, p.number, offset) for p, offset in sorted(positions.items())]))


def by_column(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Return the values of each column of rows, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]
