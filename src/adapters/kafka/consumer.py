"""A member of the consumer group that reads each partition from the position that is recorded for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from adapters.kafka.errors import judge, reason_of, translated
from adapters.kafka.leader_epochs import EpochsRead, LeaderEpochs, placed
from adapters.kafka.leaving import leave
from adapters.kafka.log_offsets import Place, listed, starts
from adapters.kafka.topic_ids import KnownTopics
from application.ports.message_stream import POLL_BYTES, ReceivedMessage, Trace

log = logging.getLogger(__name__)

_FETCH_SECONDS = 0.05
"""How long a poll waits at least: the brokers need a moment, even where they have messages."""
_JOIN_SECONDS = 0.5
"""How long it waits at least while it has no partition: the group is being joined."""
_SLICE_SECONDS = 0.5
"""How long it waits at a stretch, before it looks whether an assignment failed."""
_SLICE_MESSAGES = 500
"""How many it takes at once: so many may turn out to be large."""
_LARGE = 1_048_576
"""Bytes of a message before any was seen."""
_SEEK_SECONDS = 1.0
_PAUSE = 0.01

Content = tuple[bytes, Trace | None, int]
"""Of a message: its payload, the trace that its headers name, and the bytes of these."""


class GroupConsumer:
    """Reads what the group assigns to it. Not safe to use from several threads at once.

    What is returned is in offset order without a hole from where a partition was begun, and never of a
    partition that was taken away before; the caller's positions decide, not the group's offsets.
    """

    def __init__(
        self,
        consumer: Consumer,
        admin: AdminClient,
        names: Mapping[str, str],
        positions: Callable[[], Mapping[Place, int]],
        topics: KnownTopics,
        *,
        epochs: LeaderEpochs,
        content_of: Callable[[Message], Content],
    ) -> None:
        self._consumer = consumer
        self._admin = admin
        self._names = names
        self._positions = positions
        self._topics = topics
        self._epochs = EpochsRead(epochs, topics)
        self._content_of = content_of
        self._next: dict[Place, int] = {}
        self._passed: dict[Place, int] = {}
        self._failure: Exception | None = None
        self._misplaced = False
        self._lost: set[Place] = set()
        self._usual_bytes = _LARGE
        self._polled_bytes = 0
        self.assignments = 0
        with translated():
            consumer.subscribe(list(names), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Return up to `limit` messages, waiting up to `timeout` seconds, and a moment at least, for the first.

        Raises:
            StreamUnavailableError: reading is refused, or a record can't be read.
            PositionLostError: a position is beyond the end of its partition, its topic was created anew, or its log
                was cut and written anew.
        """
        self._topics.look()
        if self._misplaced:
            self.place(self._positions())
        least = _FETCH_SECONDS if self._next else _JOIN_SECONDS
        deadline = time.monotonic() + max(timeout, least)
        self._polled_bytes = 0
        messages = self._take_fetched([], limit)
        while not messages and (remaining := deadline - time.monotonic()) > 0:
            messages = self._take_fetched(self._take(1, min(remaining, _SLICE_SECONDS)), limit)
        return messages

    def place(self, positions: Mapping[Place, int]) -> None:
        """Go on from the given positions in the partitions that are assigned."""
        self._misplaced = True
        self._passed.clear()
        begin = self._begin(self._next, positions)
        epochs = self._epochs.before(begin)
        for place, offset in begin.items():
            self._seek(place, offset, epochs.get(place))
        self._misplaced = False

    def passed(self) -> dict[Place, int]:
        """Return where partitions stand that hold nothing readable from the last message to there, once each."""
        passed = {place: offset for place, offset in self._passed.items() if self._next.get(place) == offset}
        self._passed.clear()
        return passed

    def has(self, place: Place) -> bool:
        """Tell whether a partition is assigned; any thread may ask."""
        return place in self._next

    def commit(self, positions: Mapping[Place, int]) -> None:
        """Tell the group how far its partitions were taken in, in the background."""
        offsets = [TopicPartition(*place, offset) for place, offset in positions.items() if place in self._next]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            log.debug("offsets were not committed: %s", reason_of(error).str())

    def close(self) -> None:
        """Leave the group."""
        leave(self._consumer)

    def _take_fetched(self, taken: list[ReceivedMessage], limit: int) -> list[ReceivedMessage]:
        """Add what the client has fetched, up to POLL_BYTES; it asks for as many as would fit if all were alike.

        Headers count too: the client holds them until the message is read.
        """
        self._lost.clear()
        while len(taken) < limit and (room := POLL_BYTES - self._polled_bytes) > 0:
            before = self._polled_bytes
            more = self._take(max(1, min(limit - len(taken), _SLICE_MESSAGES, room // self._usual_bytes)), 0.0)
            if self._lost:
                lost = {(self._names[topic], number) for topic, number in self._lost}
                taken = [m for m in taken if (m.topic, m.partition) not in lost]
                self._lost.clear()
            if not more:
                break
            self._usual_bytes = (self._polled_bytes - before) // len(more) + 1
            taken += more
        return taken

    def _take(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Take what the client has fetched; should that fail, all partitions are placed anew by the next poll."""
        try:
            with translated():
                fetched = self._consumer.consume(limit, timeout)
            if self._failure is not None:
                raise self._failure
            return self._current(self._epochs.compared(fetched, self._next, self._seek))
        except Exception:
            self._misplaced, self._failure = True, None
            raise

    def _current(self, fetched: Iterable[Message]) -> list[ReceivedMessage]:
        """Keep what belongs to the partitions as they are assigned now, each in order from where it stands.

        A batch that spans a rebalance or a seek may hold leftovers from before; such a partition is read again.
        """
        following, names, content_of = self._next, self._names, self._content_of
        begun = dict(following)
        disordered: set[Place] = set()
        kept = []
        size = 0
        # Messages of a partition come many in a row: what holds for all of these is looked up once.
        place: Place = ("", -1)
        name, expected, led = "", None, None
        for message in fetched:
            topic, number, offset, key = message.topic(), message.partition(), message.offset(), message.key()
            if (error := message.error()) is not None:
                self._heard(error, topic, number, offset)
                place = ("", -1)
                continue
            assert topic is not None
            assert number is not None
            assert offset is not None
            if number != place[1] or topic != place[0]:
                place = (topic, number)
                name, expected, led = names[topic], following.get(place), self._epochs.last(place)
            if expected is None:
                continue
            if offset < expected:
                disordered.add(place)
                continue
            if (epoch := message.leader_epoch()) != led:
                led = epoch
                self._epochs.began(place, epoch, offset)
            following[place] = expected = offset + 1
            text = None if key is None else key.decode(errors="replace").replace("\0", "\ufffd")
            payload, trace, of_headers = content_of(message)
            size += len(payload) + len(key or b"") + of_headers
            kept.append(ReceivedMessage(name, number, offset, text, payload, trace))
        self._polled_bytes += size
        for place in disordered:
            self._seek(place, begun[place])
        again = {(names[topic], number) for topic, number in disordered}
        return [m for m in kept if (m.topic, m.partition) not in again] if again else kept

    def _heard(self, error: KafkaError, topic: str | None, number: int | None, offset: int | None) -> None:
        """Take what comes in place of a message."""
        if topic is None or number is None:
            judge(error, "")
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._begin_anew((topic, number), offset)
        elif error.code() == KafkaError._PARTITION_EOF and offset is not None:
            self._reached((topic, number), offset)
        else:
            judge(error, f" at {topic}/{number}@{offset}")

    def _reached(self, place: Place, end: int) -> None:
        """Note that all up to the end of a partition was read; what was not returned is no message."""
        if self._next.get(place, end) < end:
            self._next[place] = self._passed[place] = end

    def _begin_anew(self, place: Place, missed: int | None) -> None:
        """Go on where a partition begins now, after retention took what was to be read next, the offset `missed`.

        If what was to be read next exists, the log was cut before it; of that, a client names no offset. What it missed
        before the partition was moved on is no news.
        """
        expected = self._next.get(place)
        if expected is None or (missed is not None and missed < expected):
            return
        begin = self._begin([place], {place: expected})[place]
        if begin == expected:
            self._topics.tell_cut(place, expected)
        self._restart(place, begin)

    def _begin(self, places: Collection[Place], positions: Mapping[Place, int]) -> dict[Place, int]:
        """Return where to begin; what is gone before that is passed."""
        self._topics.require_same()
        begin = starts(self._admin, places, positions)
        self._passed.update({place: first for place, first in begin.items() if first > positions.get(place, 0)})
        return begin

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin at the recorded positions; a callback can't raise, so `poll` raises what fails here."""
        places = [(partition.topic, partition.partition) for partition in partitions]
        try:
            begin = self._begin(places, self._positions())
            self._epochs.compare_soon(self._epochs.before(begin))
        except Exception as error:  # noqa: BLE001 - raised by the poll that is under way
            self._failure = error
            begin = dict.fromkeys(places, 0)
        consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in begin.items()])
        self._next.update(begin)
        if places:
            self.assignments += 1
            log.info("assigned: %s", listed(partitions))

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            place = (partition.topic, partition.partition)
            self._next.pop(place, None)
            self._lost.add(place)
        log.info("revoked: %s", listed(partitions))

    def _seek(self, place: Place, offset: int, epoch: int | None = None) -> None:
        """Move a partition; one that was assigned this instant may not be ready for it yet, nor one that stopped."""
        self._next[place] = offset
        deadline = time.monotonic() + _SEEK_SECONDS
        with translated():
            while time.monotonic() < deadline:
                try:
                    self._consumer.seek(placed(place, offset, epoch))
                    return
                except KafkaException as error:
                    if reason_of(error).code() != KafkaError._STATE:
                        raise
                time.sleep(_PAUSE)
        self._restart(place, offset, epoch)

    def _restart(self, place: Place, offset: int, epoch: int | None = None) -> None:
        """Begin a partition whose reading stopped, as it does where the next offset does not exist."""
        self._next[place] = offset
        if epoch is not None:
            self._epochs.compare_soon({place: epoch})
        partition = TopicPartition(*place, offset)
        with translated():
            self._consumer.incremental_unassign([partition])
            self._consumer.incremental_assign([partition])
