"""Publish messages of a source to the stream, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from application.ports.message_stream import MessageStream, OutgoingMessage

CHUNK = 5_000
MAX_CHUNK_BYTES = 16_000_000


def publish_all(
    stream: MessageStream, messages: Iterable[OutgoingMessage], progress: Callable[[int], None] | None = None
) -> int:
    """Publish messages in chunks, in order; return how many. Safe to repeat: the message ids stay the same."""
    pending = iter(messages)
    done = 0
    while chunk := _chunk(pending):
        stream.publish(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done)
    return done


def _chunk(pending: Iterable[OutgoingMessage]) -> list[OutgoingMessage]:
    """Take up to CHUNK messages, fewer where they are large."""
    chunk: list[OutgoingMessage] = []
    size = 0
    for message in islice(pending, CHUNK):
        chunk.append(message)
        size += len(message.payload)
        if size > MAX_CHUNK_BYTES:
            break
    return chunk
