"""Which topics these are: a topic that is deleted and created anew has its old name, and another id."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import NamedTuple, NoReturn

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AdminClient, TopicDescription

from adapters.kafka.errors import PositionLostError, reason_of, translated
from adapters.kafka.log_offsets import Place
from application.ports.message_stream import Partition

log = logging.getLogger(__name__)

_NO_ID = str(Uuid(0, 0))
_SECONDS = 10.0
_LOOK_SECONDS = 5.0
"""How often the brokers are asked while messages are read."""


def read_topic_ids(admin: AdminClient, names: Collection[str]) -> dict[str, str]:
    """Return the ids of the topics that exist, by name.

    Raises:
        StreamUnavailableError: the brokers don't answer.
    """
    with translated():
        return _found(_ask(admin, names))


class Remedies(NamedTuple):
    """The commands that have a topic read from its first message: one that was created anew, and one that was cut."""

    recreated: str
    cut: str


class KnownTopics:
    """The ids of the topics that are read; the first that is seen of a topic counts.

    `names` are those that the platform has for the topics, by their names on the brokers.
    """

    def __init__(
        self, admin: AdminClient, names: Mapping[str, str], ids: Mapping[str, str], remedies: Remedies
    ) -> None:
        self._admin = admin
        self._names = names
        self._ids = dict(ids)
        self._remedies = remedies
        self._gone: set[str] = set()
        self._asked: dict[str, Future[TopicDescription]] | None = None
        self._next_look = 0.0

    def require_same(self) -> None:
        """Ask the brokers for the ids, and wait for them.

        Raises:
            PositionLostError: a topic was created anew.
            StreamUnavailableError: the brokers don't answer.
        """
        self._compare(read_topic_ids(self._admin, self._names))

    def look(self) -> None:
        """Ask from time to time, and wait for nothing: brokers that don't answer are asked again.

        Raises:
            PositionLostError: a topic was created anew.
        """
        if self._asked is None:
            if time.monotonic() >= self._next_look:
                self._asked = _ask(self._admin, self._names)
        elif all(future.done() for future in self._asked.values()):
            answers, self._asked, self._next_look = self._asked, None, time.monotonic() + _LOOK_SECONDS
            try:
                found = _found(answers)
            except KafkaException:
                return
            self._compare(found)

    def own(self, place: Place) -> Partition:
        """Return a partition by the name that the platform has for its topic."""
        return Partition(self._names[place[0]], place[1])

    def id_of(self, topic: str) -> str | None:
        """Return the id of a topic, by its name on the brokers; None where they give none, as old ones do."""
        found = self._ids.get(topic)
        return None if found == _NO_ID else found

    def tell_cut(self, place: Place, position: int) -> NoReturn:
        """Say that the log of a partition was cut before a position, and has grown beyond it since.

        Raises:
            PositionLostError: always.
        """
        topic, number = place
        raise PositionLostError(
            f"the log of {topic}/{number} was cut before the recorded position {position:,} and written anew: the "
            "brokers lost messages that they had acknowledged, and those in their place were not taken in; stop all "
            f"consumers, then `{self._remedies.cut} {self._names[topic]}` has the topic read from its first message"
        )

    def _compare(self, found: Mapping[str, str]) -> None:
        anew = sorted(name for name, found_id in found.items() if self._ids.setdefault(name, found_id) != found_id)
        if anew:
            raise PositionLostError(
                f"{', '.join(anew)}: deleted and created anew, so that positions in it mean nothing; stop all "
                f"consumers, then `{self._remedies.recreated}` has it read from its first message"
            )
        gone = self._ids.keys() - found.keys()
        for name in sorted(gone - self._gone):
            log.error("%s does not exist any more: what it held beyond its positions is gone", name)
        self._gone = gone


def _ask(admin: AdminClient, names: Collection[str]) -> dict[str, Future[TopicDescription]]:
    return admin.describe_topics(TopicCollection(list(names)), request_timeout=_SECONDS)


def _found(answers: Mapping[str, Future[TopicDescription]]) -> dict[str, str]:
    """Return the ids; a topic that does not exist has none."""
    found = {}
    for name, answer in answers.items():
        try:
            found[name] = str(answer.result(_SECONDS).topic_id)
        except KafkaException as error:
            if reason_of(error).code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    return found
