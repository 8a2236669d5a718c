"""Fold events into the views of their streams: the one loop behind the live follower and the rebuild."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from application.codec import Recorded, UndecodableEventError, decode
from application.ports.event_store import RecordedEvent
from application.projections.subject import Subject
from application.replay.event_blocks import Block, decode_block

SubjectOf = Callable[[str], Subject | None]


def subject_finder(subjects: Sequence[Subject]) -> SubjectOf:
    """Return the function that finds the subject of a stream id, None where no subject folds it."""

    def find(stream_id: str) -> Subject | None:
        return next((subject for subject in subjects if stream_id.startswith(subject.prefix)), None)

    return find


def decode_prefix(events: Iterable[RecordedEvent]) -> tuple[list[Recorded], UndecodableEventError | None]:
    """Decode events up to the first that no decoder understands; return them, and the error, if any."""
    decoded: list[Recorded] = []
    for event in events:
        try:
            domain_event = decode(*event)
        except UndecodableEventError as error:
            return decoded, error
        decoded.append(Recorded(event.position, event.stream_id, event.version, domain_event))
    return decoded, None


def group_streams(events: Iterable[Recorded], subject_of: SubjectOf) -> dict[Subject, dict[str, list[Recorded]]]:
    """Group events by subject and stream, in the order of the log; events of no subject are left out."""
    streams: dict[str, list[Recorded]] = {}
    for recorded in events:
        streams.setdefault(recorded.stream_id, []).append(recorded)
    groups: dict[Subject, dict[str, list[Recorded]]] = {}
    for stream_id, stream in streams.items():
        subject = subject_of(stream_id)
        if subject is not None:
            groups.setdefault(subject, {})[stream_id] = stream
    return groups


def fold_stream(subject: Subject, view: Any, stream: Iterable[Recorded]) -> Any:
    """Return the view after the events; an error of the fold carries a note that names the event."""
    fold = subject.fold
    for recorded in stream:
        try:
            view = fold(view, recorded)
        except Exception as error:
            error.add_note(
                f"while folding {subject.name}: event {recorded.stream_id}:{recorded.version} "
                f"at position {recorded.position}"
            )
            raise
    return view


def fold_blocks(blocks: Iterable[Block], subject_of: SubjectOf) -> Iterator[Mapping[str, Iterable[Any]]]:
    """Fold a log given in stream order, block by block; yield rows by table. Memory holds one block at a time.

    A stream of many blocks is folded as the live follower would: between two blocks, its view is loaded from
    its rows, and rows that are only ever appended are given away.

    Raises:
        UndecodableEventError: an event that no decoder understands, of whatever stream.
    """
    view = None
    for block in blocks:
        events = decode_block(block)
        subject = subject_of(block.stream_id)
        if subject is None:
            continue
        view = fold_stream(subject, view, events)
        if view is None:
            continue
        rows = subject.rows(view)
        if not block.more:
            view = None
            yield rows
        else:
            appended = {table.name for table in subject.tables if table.append_only}
            yield {name: rows[name] for name in appended}
            view = subject.load({name: list(kept) for name, kept in rows.items() if name not in appended})
