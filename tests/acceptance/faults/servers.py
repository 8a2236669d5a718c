"""What the fault tests work with: servers of their own, which they may kill, and messages whose fate is known."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.topics import TOPICS, ensure_topics
from adapters.postgres.database import ensure_database
from adapters.postgres.migrate import migrate
from application.ports.inbox import Balance
from application.ports.message_stream import OutgoingMessage
from application.simulation.broken import broken_kind, broken_message
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from deploy.services import install, native
from deploy.services.kafka import KAFKA
from deploy.services.postgres import POSTGRES
from deploy.services.process import free_port, stop
from tests.acceptance.faults.struck import Blow
from tests.acceptance.home import Home, event_log, until

ROOT = Path(__file__).parents[3]
REQUIRED = os.environ.get("DATAFLOW_REQUIRE_SERVICES") == "1"
PARTITIONS = 4
BROKEN_EVERY = 100
FIVE_MEGABYTES = 5_000_000
Log = list[tuple[str, int, str, Any]]

_BALANCE = (
    "SELECT count(*), count(*) FILTER (WHERE outcome = 'applied'), count(*) FILTER (WHERE outcome = 'duplicate'), "
    "count(*) FILTER (WHERE outcome = 'quarantined') FROM bronze.messages"
)
_QUARANTINED = (
    "SELECT q.code, sha256(m.payload) FROM bronze.quarantine q "
    'JOIN bronze.messages m USING (topic, partition, "offset")'
)
_CAUSED = (
    "SELECT DISTINCT convert_from(state, 'UTF8')::jsonb #>> '{meta,causation_id}' FROM events.stored_events ORDER BY 1"
)
_TAKEN_IN = "SELECT coalesce(sum(next_offset), 0) FROM bronze.positions"
_APPLIED = "SELECT message_id FROM bronze.messages WHERE outcome = 'applied'"
_MISPLACED = (
    'SELECT * FROM (SELECT topic, partition, count(*) AS kept, max("offset") + 1 AS next FROM bronze.messages '
    "GROUP BY topic, partition) m FULL JOIN bronze.positions p USING (topic, partition) "
    "WHERE (kept = next AND next = next_offset) IS NOT TRUE"
)


class Fate(NamedTuple):
    """What must come of messages: the balance, and which payloads end in quarantine, each with its code."""

    balance: Balance
    quarantined: Counter[tuple[str, bytes]]


class Sent(NamedTuple):
    """Messages to publish, and what must come of them."""

    messages: list[OutgoingMessage]
    fate: Fate


def sound_messages(orders: int) -> list[OutgoingMessage]:
    """Return the messages of a supply chain without a fault."""
    settings = SimulationSettings(start=datetime(2026, 1, 5, tzinfo=UTC), seed=7, orders=orders, days=60)
    return list(messages(settings))


def faulty(sound: list[OutgoingMessage], *, duplicate_share: float) -> Sent:
    """Send some messages again and some late, and put a broken one after every hundredth, a huge one at the end."""
    made: list[OutgoingMessage] = []
    quarantined: Counter[tuple[str, bytes]] = Counter()
    mixed = list(with_faults(sound, seed=7, duplicate_share=duplicate_share, late_share=0.02))
    for number, message in enumerate(mixed):
        made.append(message)
        if number % BROKEN_EVERY == 0:
            broken = broken_message(message, number // BROKEN_EVERY, "faults")
            made.append(broken)
            quarantined[broken_kind(number // BROKEN_EVERY).code, sha256(broken.payload).digest()] += 1
    huge = _huge(sound[0])
    made.append(huge)
    quarantined["MessageTooLarge", sha256(huge.payload).digest()] += 1
    balance = Balance(len(made), len(sound), len(mixed) - len(sound), quarantined.total())
    return Sent(made, Fate(balance, quarantined))


def _huge(sound: OutgoingMessage) -> OutgoingMessage:
    envelope = msgspec.json.decode(sound.payload)
    envelope.update(id="five-megabytes")
    envelope["data"]["note"] = "x" * FIVE_MEGABYTES
    return sound._replace(payload=msgspec.json.encode(envelope))


class Outcome(NamedTuple):
    """What must not depend on faults: the event log by stream, and the fate of the messages."""

    log: Log
    fate: Fate


class Servers:
    """A broker and a database server of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.kafka = native.start(KAFKA, folder / "kafka")
        try:
            self.postgres = native.start(POSTGRES, folder / "postgres")
        except BaseException:
            native.end(KAFKA, self.kafka)
            raise
        self._numbers = count(1)

    def restart_kafka(self) -> None:
        """Start the broker again after `native.kill`, with its data."""
        _until_free(self.kafka.port)
        self.kafka = native.start(KAFKA, self._folder / "kafka")

    def shut_down_postgres(self) -> None:
        """Stop the database at once, without letting anybody finish."""
        assert self.postgres.pid is not None
        assert self.postgres.began is not None
        stop(self.postgres.pid, self.postgres.began, signal.SIGQUIT)

    def restart_postgres(self) -> None:
        """Start the database server again, with its data."""
        _until_free(self.postgres.port)
        self.postgres = native.start(POSTGRES, self._folder / "postgres")

    def end(self) -> None:
        """Stop both, and delete what they kept."""
        native.end(POSTGRES, self.postgres)
        native.kill(self.kafka)
        shutil.rmtree(self._folder)

    def connection(self, prefix: str) -> KafkaConnection:
        """Return how to reach the topics that begin with the prefix."""
        return KafkaConnection(self.kafka.url, f"{prefix}test", prefix)

    def topics(self) -> str:
        """Create all topics, empty, and return what their names begin with."""
        prefix = f"faults{next(self._numbers)}-"
        smaller = [topic._replace(partitions=PARTITIONS) for topic in TOPICS]
        ensure_topics(self.connection(prefix).admin(), prefix, smaller)
        return prefix

    @contextmanager
    def platform(self, prefix: str, **settings: object) -> Iterator[Platform]:
        """Give a platform with an empty database, which reads the topics of this prefix."""
        name = f"faults_{next(self._numbers)}"
        url = self.postgres.url.rpartition("/")[0] + f"/{name}"
        ensure_database(self.postgres.url, name)
        migrate(url)
        platform = Platform(
            self._folder / name,
            database_url=url,
            kafka_bootstrap=self.kafka.url,
            kafka_topic_prefix=prefix,
            kafka_group=name,
            **settings,
        )
        try:
            yield platform
        finally:
            platform.end_all()
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _until_free(port: int) -> None:
    """Wait until the last connections of a server that is gone are closed, so that it comes back where it was."""
    until(lambda: free_port(port) == port, "the port was taken meanwhile")


class Platform(Home):
    """The `dataflow` command on a database and topics of its own."""

    def __init__(self, folder: Path, *, database_url: str, kafka_group: str, **settings: object) -> None:
        super().__init__(folder, database_url=database_url, kafka_group=kafka_group, **settings)
        self.url = database_url
        self.group = kafka_group
        self._started: list[subprocess.Popen[str]] = []

    def conninfo(self, database: str | None = None) -> str:
        """Return the connection string of the database."""
        return make_conninfo(self.url, dbname=database)

    def start(self, *arguments: object, **settings: object) -> subprocess.Popen[str]:
        """Start a command that goes on, at most until the test ends."""
        process = super().start(*arguments, **settings)
        self._started.append(process)
        return process

    def start_struck(self, blow: Blow, *arguments: object) -> subprocess.Popen[str]:
        """Start a command that hits itself with a signal."""
        words = [sys.executable, "-m", "tests.acceptance.faults.struck", *blow.words(), *map(str, arguments)]
        process = subprocess.Popen(
            words, env=self._environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._started.append(process)
        return process

    def end_all(self) -> None:
        """End what was started and still goes on."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    @contextmanager
    def watched(self) -> Iterator[Callable[[], int]]:
        """Give a count of the messages taken in so far, which is quick to ask for."""
        with self.connect() as connection:
            yield lambda: int(_column(connection, _TAKEN_IN).pop())

    def outcome(self) -> Outcome:
        """Return what came of the messages; what is kept must agree with itself, and the figures with the log."""
        with self.connect() as connection:
            assert connection.execute(_MISPLACED.encode()).fetchall() == []
            found = Outcome(event_log(connection), fate(connection))
        self.do("project", "--once")
        assert self.json("verify")["equal"] is True
        return found


def balance(connection: psycopg.Connection) -> Balance:
    """Count what was received and what became of it."""
    (row,) = connection.execute(_BALANCE.encode()).fetchall()
    return Balance(*row)


def fate(connection: psycopg.Connection) -> Fate:
    """Return what became of the messages so far."""
    return Fate(balance(connection), Counter(connection.execute(_QUARANTINED.encode()).fetchall()))


class Whole:
    """What a run without interruption made, to hold others against."""

    def __init__(self, platform: Platform) -> None:
        self.outcome = platform.outcome()
        self.waiting = platform.json("quarantine", "list")
        with platform.connect() as connection:
            self._caused = _column(connection, _CAUSED)
            self._events = {(stream, version): (topic, event) for stream, version, topic, event in self.outcome.log}

    def require_part(self, platform: Platform) -> int:
        """Check that what is kept is a part of the whole, in one piece; return how many messages were received."""
        with platform.connect() as connection:
            assert connection.execute(_MISPLACED.encode()).fetchall() == []
            assert _column(connection, _CAUSED) == self._caused & _column(connection, _APPLIED)
            versions: Counter[str] = Counter()
            for stream, version, topic, event in event_log(connection):
                versions[stream] += 1
                assert version == versions[stream]
                assert self._events[stream, version] == (topic, event)
            return balance(connection).received


def _column(connection: psycopg.Connection, query: str) -> set[Any]:
    return {value for (value,) in connection.execute(query.encode())}


def publish(connection: KafkaConnection, sent: Iterable[OutgoingMessage]) -> None:
    """Publish messages in order."""
    with closing(KafkaMessageStream(connection)) as stream:
        stream.publish(list(sent))


def until_frozen(process: subprocess.Popen[str]) -> None:
    """Wait until a process stopped itself."""
    watched = psutil.Process(process.pid)
    until(lambda: watched.status() in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}, "it does not get there")
    assert process.poll() is None, process.communicate()


def start_servers(folder: Path) -> Servers:
    """Start servers; where what they need is not here, the test is skipped, unless it must be."""
    fetched = shutil.which("java") and any(install.cache().glob("kafka-*"))
    if not fetched and not REQUIRED:
        pytest.skip("no Kafka to start: `make services` fetches it, where Docker does not run it")
    return Servers(folder)
