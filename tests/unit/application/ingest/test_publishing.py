"""Messages of a source go out many at a time, fewer where they are large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from application.ingest.publishing import CHUNK, MAX_CHUNK_BYTES, publish_all
from application.ports.message_stream import MessageStream, OutgoingMessage


class Published:
    """A stream that keeps what was published at once."""

    def __init__(self) -> None:
        self.chunks: list[list[str]] = []

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        self.chunks.append([message.key for message in messages])


@pytest.mark.parametrize(
    ("count", "size", "chunks"),
    [
        (0, 1, []),
        (CHUNK, 1, [CHUNK]),
        (2 * CHUNK + 1, 1, [CHUNK, CHUNK, 1]),
        (7, MAX_CHUNK_BYTES // 2, [3, 3, 1]),
        (3, MAX_CHUNK_BYTES + 1, [1, 1, 1]),
    ],
)
def test_all_messages_go_out_in_order_in_chunks_that_fit(count: int, size: int, chunks: list[int]) -> None:
    stream, payload, reports = Published(), bytes(size), list[int]()
    keys = [str(number) for number in range(count)]
    messages = (OutgoingMessage("orders", key, payload) for key in keys)
    assert publish_all(cast("MessageStream", stream), messages, reports.append) == count
    assert [len(chunk) for chunk in stream.chunks] == chunks
    assert [key for chunk in stream.chunks for key in chunk] == keys
    assert reports == [sum(chunks[:n]) for n in range(1, len(chunks) + 1)]
