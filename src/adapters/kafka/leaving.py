"""Leave a consumer group, for as long as somebody who asked a process to stop would wait."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from threading import Thread

from confluent_kafka import Consumer

log = logging.getLogger(__name__)

_SECONDS = 3.0
"""Who asks a process to stop waits five seconds."""


def leave(consumer: Consumer) -> None:
    """Close a consumer; one that does not end in time is left behind.

    It waits without a limit for its own threads, which brokers that come and go can hold up for ever
    (confluentinc/confluent-kafka-python#1667), and meanwhile no signal reaches Python.
    """
    left: Future[None] = Future()

    def close() -> None:
        try:
            consumer.close()
            left.set_result(None)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            left.set_exception(error)

    Thread(target=close, name="leave the group", daemon=True).start()
    try:
        left.result(_SECONDS)
    except TimeoutError:
        log.warning(
            "the Kafka client has not left its group after %g s and is left behind: others read its partitions once "
            "the group misses it",
            _SECONDS,
        )
