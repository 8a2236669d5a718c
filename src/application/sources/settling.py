"""Turn the changes that are kept into messages, some groups at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from application.ports.row_mapping import MappedRow, RowMapping
from application.ports.source_ledger import Batch, KeptRow, SourceLedger
from application.sources.changes import changes
from application.sources.outgoing import content_id, messages_of

GROUPS = 2_000
"""Groups (an order with its lines) that are mapped at once."""
Compare = Callable[[Sequence[MappedRow], Sequence[MappedRow], datetime], Iterator[MappedRow]]


def settle_all(source: str, mapping: RowMapping, ledger: SourceLedger, compare: Compare = changes) -> Iterator[int]:
    """Settle all changes of a source; yield after each batch how many messages are due because of it.

    Lookup tables, and SELECTs that read nothing else, come last: until then the rows before them are needed.
    `compare` tells what leads from rows before to rows after, seen at a moment.
    """
    roots = [table.name for table in mapping.tables.values() if table.root == table.name]
    while batch := ledger.next_batch(source, [*roots, ""], GROUPS):
        before = _mapped(mapping, batch, batch.before) if batch.begun or batch.root else []
        after = _mapped(mapping, batch, batch.after)
        held = _held(batch, after)
        asked = compare(
            [row for row in before if row.group not in held],
            [row for row in after if row.group not in held],
            batch.moment,
        )
        messages = messages_of(source, batch.sent, [*held.values(), *asked])
        ledger.settle(batch, messages, held)
        yield len(messages)


def _held(batch: Batch, after: Sequence[MappedRow]) -> dict[str, MappedRow]:
    """Return the groups of which a row can't be mapped, each with that row.

    What else is known of such an order would make wrong messages: a line that can't be read is not cancelled.
    """
    held: dict[str, MappedRow] = {}
    for row in after:
        if row.rejected is not None and row.group in batch.groups and batch.root:
            row_id = content_id(row, f"{row.rejected.detail}\n{row.rejected.text}")
            held.setdefault(row.group, row._replace(given_id=row_id))
    return held


def _mapped(mapping: RowMapping, batch: Batch, rows: Sequence[KeptRow]) -> Sequence[MappedRow]:
    """Run the SELECTs, unless the groups have no rows at all."""
    if batch.root and not any(row.root for row in rows):
        return []
    return mapping.map(batch.root, rows)
