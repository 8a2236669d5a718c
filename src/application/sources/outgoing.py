"""Messages of what a source asks for, and their way to the stream through the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import sha256

from application.ingest.messages import encode_command, encode_rejected
from application.ports.message_stream import MessageStream, OutgoingMessage
from application.ports.row_mapping import MappedRow
from application.ports.source_ledger import Outbox

CHUNK = 5_000


def messages_of(source: str, sent: int, rows: Iterable[MappedRow]) -> list[OutgoingMessage]:
    """Return a message for each row; ids go on from the number `sent`, unless the mapping gives one.

    A row that comes back to an earlier state is another message, so the content alone is no identity there.
    """
    return [_message(source, number, row) for number, row in enumerate(rows, sent + 1)]


def with_lasting_ids(rows: Iterable[MappedRow], places: Collection[str]) -> Iterator[MappedRow]:
    """Give rows that were read at one of these places, where nothing else ever stands, the ids of every reading."""
    seen = Counter[str]()
    for row in rows:
        if row.given_id is not None or row.key not in places:
            yield row
            continue
        content = content_id(row, _content(row))
        seen[content] += 1
        yield row._replace(given_id=f"{content}-{seen[content]}")


def _message(source: str, number: int, row: MappedRow) -> OutgoingMessage:
    if row.rejected is not None:
        return encode_rejected(
            row.rejected,
            topic=row.topic,
            message_id=row.given_id or _id(number, row),
            source=source,
            origin_file=row.origin,
            origin_line=None,
        )
    return encode_command(
        row.command,
        message_id=row.given_id or _id(number, row),
        source=source,
        correlation_id=row.correlation,
        origin_file=row.origin,
    )


def _id(number: int, row: MappedRow) -> str:
    return f"{number}-{content_id(row, _content(row))[:16]}"


def _content(row: MappedRow) -> str:
    return repr(row.command) if row.rejected is None else row.rejected.text


def content_id(row: MappedRow, content: str) -> str:
    """Return an id of a row that says this: the same whenever it says it again."""
    return sha256("\n".join((row.select, row.key, content)).encode()).hexdigest()[:32]


def publish_waiting(
    outbox: Outbox, stream: MessageStream, source: str, published: Callable[[int], None] = lambda _: None
) -> None:
    """Publish what is due and forget it; where it ends in between, the same messages go out again."""
    while waiting := outbox.waiting(source, CHUNK):
        stream.publish([message for _, message in waiting])
        outbox.forget(source, waiting[-1][0])
        published(len(waiting))
