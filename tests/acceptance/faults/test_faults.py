"""Faults on real servers, Kafka and PostgreSQL: nothing is lost, nothing doubled. DATAFLOW_SOAK=1 does more of it."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from confluent_kafka import ConsumerGroupState, Producer
from confluent_kafka.admin import AdminClient

from adapters.kafka.message_stream import KafkaMessageStream
from application.ports.inbox import Balance
from application.ports.message_stream import OutgoingMessage
from application.simulation.broken import BROKEN_KINDS
from application.simulation.faults import with_faults
from deploy.services import native
from tests.acceptance.faults.servers import (
    PARTITIONS,
    Fate,
    Outcome,
    Platform,
    Sent,
    Servers,
    Whole,
    faulty,
    publish,
    sound_messages,
    start_servers,
    until_frozen,
)
from tests.acceptance.faults.struck import STEPS, Blow
from tests.acceptance.home import PATIENCE, ended, until
from tests.soak import SOAK

ORDERS = 4_500 if SOAK else 140
KILLS = 100 if SOAK else 5
ROUNDS = 5 if SOAK else 1
SMALL = {"batch_size": 400 if SOAK else 40}
LARGE = {"batch_size": 4_000}
RETURNING = {"kafka_group_instance_id": "consumer-1"}
"""A consumer that comes back under its name is given its partitions at once, killed or not."""
IN_TRANSACTION = {("append", "before"), ("append", "after"), ("commit", "before")}
GROUP = {"kafka_session_timeout_ms": 6_000, "kafka_heartbeat_interval_ms": 200}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = start_servers(tmp_path_factory.mktemp("faults"))
    yield servers
    servers.end()


@pytest.fixture(scope="module")
def sound() -> list[OutgoingMessage]:
    return sound_messages(ORDERS)


@pytest.fixture(scope="module")
def sent(sound: list[OutgoingMessage]) -> Sent:
    return faulty(sound, duplicate_share=0.05)


@pytest.fixture(scope="module")
def topics(servers: Servers, sent: Sent) -> str:
    """Topics that hold all messages; each test reads them into a database of its own, which knows how far."""
    prefix = servers.topics()
    publish(servers.connection(prefix), sent.messages)
    return prefix


@pytest.fixture(scope="module")
def whole(servers: Servers, topics: str, sent: Sent) -> Whole:
    """What a run without interruption makes of the messages."""
    with servers.platform(topics) as platform:
        platform.do("consume", "--once", **LARGE)
        whole = Whole(platform)
    assert whole.outcome.fate == sent.fate
    return whole


@pytest.fixture
def platform(servers: Servers, topics: str) -> Iterator[Platform]:
    with servers.platform(topics, **SMALL, **RETURNING) as platform:
        yield platform


# --- killed consumers


def _take_in(platform: Platform) -> Outcome:
    platform.do("consume", "--once", **LARGE)
    return platform.outcome()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_consumer_killed_at_any_step_of_a_batch_goes_on(platform: Platform, whole: Whole, moment: str) -> None:
    received = 0
    for number, step in enumerate(list(STEPS) * ROUNDS):
        process = platform.start_struck(Blow(step, moment, 3 + number // len(STEPS), "KILL"), "consume")
        done = ended(process)
        assert done.returncode == -signal.SIGKILL, f"{moment} {step}: {done.stderr}"
        before, received = received, whole.require_part(platform)
        assert before <= received < whole.outcome.fate.balance.received, f"{moment} {step}"
    assert received > 0
    assert _take_in(platform) == whole.outcome


def test_a_consumer_killed_at_random_moments_goes_on(platform: Platform, whole: Whole) -> None:
    chance = random.Random("kills")  # noqa: S311
    total = whole.outcome.fate.balance.received
    for kill in range(KILLS):
        process = platform.start("consume")
        goal = total * (kill + chance.random()) // (KILLS + 1)
        with platform.watched() as received:
            until(lambda: process.poll() is not None or received() > goal, "it does not get on")  # noqa: B023
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        done = ended(process)
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert 0 < whole.require_part(platform) < total
    assert _take_in(platform) == whole.outcome


# --- servers that go away


def _finish(platform: Platform, process: subprocess.Popen[str], total: int) -> str:
    """Wait until the consumer has taken in everything, and ask it to end; return what it logged."""
    with platform.watched() as received:
        try:
            until(lambda: process.poll() is not None or received() == total, "it does not go on")
        except AssertionError as error:
            process.kill()
            raise AssertionError(f"{error} at {received()} of {total}: {ended(process).stderr}") from None
    process.terminate()
    done = ended(process)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("step", STEPS if SOAK else ["commit"])
def test_a_consumer_outlives_its_broker(servers: Servers, platform: Platform, whole: Whole, step: str) -> None:
    process = platform.start_struck(Blow(step, "before", 5, "STOP"), "consume")
    until_frozen(process)
    assert 0 < whole.require_part(platform) < whole.outcome.fate.balance.received
    native.kill(servers.kafka)
    process.send_signal(signal.SIGCONT)
    servers.restart_kafka()
    _finish(platform, process, whole.outcome.fate.balance.received)
    assert platform.outcome() == whole.outcome


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS if SOAK else ["commit"])
def test_a_consumer_outlives_its_database(
    servers: Servers, platform: Platform, whole: Whole, step: str, moment: str
) -> None:
    process = platform.start_struck(Blow(step, moment, 5, "STOP"), "consume")
    until_frozen(process)
    servers.shut_down_postgres()
    process.send_signal(signal.SIGCONT)
    servers.restart_postgres()
    logged = _finish(platform, process, whole.outcome.fate.balance.received)
    assert "consume waits" in logged or (step, moment) not in IN_TRANSACTION
    assert platform.outcome() == whole.outcome


# --- consumers that come and go


def _members(admin: AdminClient, group: str) -> list[int]:
    """Return how many partitions each consumer of a settled group has."""
    (described,) = admin.describe_consumer_groups([group]).values()
    found = described.result(10)
    if found.state != ConsumerGroupState.STABLE:
        return []
    return [len(member.assignment.topic_partitions) for member in found.members]


def test_consumers_that_come_go_and_freeze_share_the_work(servers: Servers, sent: Sent, whole: Whole) -> None:
    prefix = servers.topics()
    connection = servers.connection(prefix)
    left = deque(sent.messages)
    with (
        servers.platform(prefix, **SMALL, **GROUP) as platform,
        closing(KafkaMessageStream(connection)) as stream,
    ):
        admin, group = connection.admin(), platform.group

        def publish_until(condition: Callable[[], bool], reserve: int) -> None:
            """Publish bit by bit, all but a reserve, until the condition holds."""

            def holds() -> bool:
                stream.publish([left.popleft() for _ in range(min(50, max(0, len(left) - reserve)))])
                return condition()

            until(holds, f"the group does not get there: {_members(admin, group)}")

        share = len(left) // 4
        processes = [platform.start("consume") for _ in range(2)]
        publish_until(lambda: len(_members(admin, group)) == 2, 3 * share)
        processes.append(platform.start("consume"))
        publish_until(lambda: len(_members(admin, group)) == 3 and 0 not in _members(admin, group), 2 * share)
        killed, frozen, remaining = processes
        killed.kill()
        frozen.send_signal(signal.SIGSTOP)
        publish_until(lambda: len(_members(admin, group)) == 1, share)
        frozen.send_signal(signal.SIGCONT)
        publish_until(lambda: len(_members(admin, group)) == 2, 0)
        assert ended(killed).returncode == -signal.SIGKILL
        frozen.terminate()
        assert ended(frozen).returncode == 0
        publish_until(lambda: not left, 0)
        _finish(platform, remaining, whole.outcome.fate.balance.received)
        assert platform.outcome() == whole.outcome


@pytest.mark.parametrize("step", ["acknowledge", "commit"] if SOAK else ["commit"])
def test_a_consumer_that_froze_and_was_overtaken_adds_nothing(
    servers: Servers, topics: str, whole: Whole, step: str
) -> None:
    total = whole.outcome.fate.balance.received
    with servers.platform(topics, **SMALL, **GROUP) as platform:
        frozen = platform.start_struck(Blow(step, "before", 3, "STOP"), "consume")
        until_frozen(frozen)
        platform.do("consume", "--once", **LARGE)
        with platform.watched() as received:
            assert received() == total
        frozen.send_signal(signal.SIGCONT)
        admin = servers.connection(topics).admin()
        until(lambda: len(_members(admin, platform.group)) == 1, "it does not come back")
        assert "halving" not in _finish(platform, frozen, total), "no message is at fault"
        assert platform.outcome() == whole.outcome


# --- messages that are not as they should be


def test_every_message_produced_twice_counts_once(servers: Servers, sound: list[OutgoingMessage], whole: Whole) -> None:
    prefix = servers.topics()
    publish(servers.connection(prefix), with_faults(sound, seed=8, duplicate_share=1.0))
    with servers.platform(prefix, **SMALL) as platform:
        outcome = _take_in(platform)
    assert outcome.fate == Fate(Balance(2 * len(sound), len(sound), len(sound), 0), Counter())
    assert outcome.log == whole.outcome.log


def test_the_order_of_messages_matters_within_a_key_alone(
    servers: Servers, sound: list[OutgoingMessage], whole: Whole
) -> None:
    prefix = servers.topics()
    chance = random.Random("shuffled")  # noqa: S311
    by_key: dict[tuple[str, str], deque[OutgoingMessage]] = defaultdict(deque)
    for message in sound:
        by_key[message.topic, message.key].append(message)
    places = {key: chance.randrange(PARTITIONS) for key in by_key}
    turns = [(message.topic, message.key) for message in sound]
    chance.shuffle(turns)
    producer = Producer({"bootstrap.servers": servers.kafka.url, "enable.idempotence": True})
    for key in turns:
        message = by_key[key].popleft()
        producer.produce(prefix + message.topic, message.payload, message.key, partition=places[key])
    assert producer.flush(PATIENCE) == 0
    with servers.platform(prefix) as platform:
        outcome = _take_in(platform)
    assert outcome.fate == Fate(Balance(len(sound), len(sound), 0, 0), Counter())
    assert outcome.log == whole.outcome.log


def test_every_kind_of_broken_message_is_kept_with_a_reason_for_people(whole: Whole, sent: Sent) -> None:
    assert {code for code, _ in sent.fate.quarantined} == {kind.code for kind in BROKEN_KINDS}
    assert Counter(message["code"] for message in whole.waiting) == _by_code(sent.fate)
    for message in whole.waiting:
        assert re.fullmatch(r"[^\n]*\w+ \w+ [^\n]+", message["detail"]), message
        assert "Error" not in message["detail"]


def _by_code(fate: Fate) -> Counter[str]:
    codes: Counter[str] = Counter()
    for (code, _), number in fate.quarantined.items():
        codes[code] += number
    return codes
