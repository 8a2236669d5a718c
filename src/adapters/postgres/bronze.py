"""Write what was received: receipts by COPY, quarantine, settlements, positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import DictRow

from adapters.postgres import binary_copy
from application.ports.event_store import ConcurrencyConflictError
from application.ports.inbox import Outcome, QuarantineStatus, Receipt, Settlement
from application.ports.message_stream import Partition

_COPY_MESSAGES = (
    'COPY bronze.messages (topic, partition, "offset", key, message_id, stream_id, outcome, received_at, '
    "payload) FROM STDIN (FORMAT BINARY)"
)
_QUARANTINE = (
    'INSERT INTO bronze.quarantine (topic, partition, "offset", source, code, detail) VALUES (%s, %s, %s, %s, %s, %s)'
)
_SETTLE = (
    "UPDATE bronze.quarantine SET status = %s, actor = %s, note = %s, settled_at = %s "
    "WHERE quarantine_id = %s AND status = 'open' RETURNING topic, partition, \"offset\""
)
_APPLIED = "UPDATE bronze.messages SET outcome = 'applied' WHERE topic = %s AND partition = %s AND \"offset\" = %s"
_MOVE = (
    "INSERT INTO bronze.positions (topic, partition, next_offset) VALUES (%s, %s, %s) "
    "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset"
)


def keep(cursor: Cursor[DictRow], receipts: Sequence[Receipt]) -> None:
    """Keep every message as received; those with a reason go to quarantine as well."""
    if not receipts:
        return
    with cursor.copy(_COPY_MESSAGES) as copy:
        for block in binary_copy.blocks(receipts, 9, _encode):
            copy.write(block)
    quarantined = [
        (r.topic, r.partition, r.offset, r.source, r.reason.code, r.reason.detail)
        for r in receipts
        if r.outcome is Outcome.QUARANTINED and r.reason is not None
    ]
    if quarantined:
        cursor.executemany(_QUARANTINE, quarantined)


def _encode(receipt: Receipt) -> tuple[bytes, ...]:
    return (
        binary_copy.repeated_text(receipt.topic),
        binary_copy.int4(receipt.partition),
        binary_copy.int8(receipt.offset),
        binary_copy.text(receipt.key),
        binary_copy.text(receipt.message_id),
        binary_copy.text(receipt.stream_id),
        binary_copy.repeated_text(receipt.outcome),
        binary_copy.timestamptz(receipt.received_at),
        binary_copy.binary(receipt.payload),
    )


def settle(cursor: Cursor[DictRow], settlements: Sequence[Settlement]) -> None:
    """Settle quarantined messages; one that is settled already is a conflict."""
    for s in settlements:
        row = cursor.execute(_SETTLE, [s.status.value, s.actor, s.note, s.settled_at, s.quarantine_id]).fetchone()
        if row is None:
            raise ConcurrencyConflictError(f"quarantined message {s.quarantine_id} is settled already")
        if s.status is QuarantineStatus.RETRIED:
            cursor.execute(_APPLIED, [row["topic"], row["partition"], row["offset"]])


def move(cursor: Cursor[DictRow], positions: Mapping[Partition, int]) -> None:
    """Move the positions to go on from."""
    if positions:
        cursor.executemany(_MOVE, [(p.topic, p.number, offset) for p, offset in sorted(positions.items())])
