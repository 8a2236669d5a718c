"""Interrupting loses nothing and doubles nothing, wherever it hits. DATAFLOW_SOAK=1 does more of it."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from adapters.postgres import locks
from adapters.postgres.read_model.log import read_checkpoint
from tests.acceptance.home import Home, beside_progress, ended, event_log, the_one_line, until

SOAK = os.environ.get("DATAFLOW_SOAK") == "1"
ORDERS = 2_000 if SOAK else 80
KILLS = 32 if SOAK else 4
PRODUCTS = 20_000 if SOAK else 800
FAULTS = ("--duplicates", 0.05, "--broken", 0.03, "--late", 0.02)
GENERATE = ("generate", "--orders", ORDERS, "--days", 60, "--seed", 7, "--start", "2026-01-05", *FAULTS)
SMALL = {"batch_size": 50, "project_batch_size": 100}
RECEIVED = "SELECT count(*) FROM bronze.messages"
BEHIND = (
    "SELECT sum(p.next_offset - coalesce(t.next_offset, 0)) FROM stream.partitions p "
    "LEFT JOIN bronze.positions t USING (topic, partition)"
)
REBUILDING = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {locks.REBUILD}"
AT_WORK = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
LOADED = (
    "SELECT count(*) FROM replay.shards JOIN replay.builds ON name = build WHERE purpose = 'rebuild' AND seconds > 0"
)
PROJECTED = "SELECT count(*) FROM events.stored_events WHERE notification_id <= %s"


class Outcome(NamedTuple):
    """What must not depend on interruptions: the log, the balance, and what is in quarantine why."""

    log: list[tuple[str, int, str, Any]]
    balance: dict[str, int]
    quarantined: Counter[tuple[str, str]]


def _outcome(home: Home) -> Outcome:
    """Return what came of the messages; the figures must agree with the log."""
    home.do("project", "--once", project_batch_size=10_000)
    assert home.json("verify")["equal"] is True
    status = home.json("status")
    assert status["balance_holds"] is True
    assert status["stream_behind"] == 0
    with home.connect() as connection:
        log = event_log(connection)
    waiting = Counter((message["code"], message["payload"]) for message in home.json("quarantine", "list"))
    return Outcome(log, {name: status[name] for name in ("received", "applied", "duplicate", "quarantined")}, waiting)


def _figures(home: Home) -> Any:
    """Return all KPIs without the position, which differs where batches were cut differently."""
    return home.json("kpi")["rows"]


@contextmanager
def _published(folder: Path) -> Iterator[Home]:
    """Give a data folder whose stream holds all messages, none of them taken in."""
    with closing(Home(folder / "home", **SMALL).keep_server()) as home:
        home.do(*GENERATE)
        yield home


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Home]:
    with _published(tmp_path) as home:
        yield home


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcome, Any]]:
    """What comes out where nothing interrupts: the log's side, and the figures."""
    with _published(tmp_path_factory.mktemp("undisturbed")) as home:
        home.do("consume", "--once")
        yield _outcome(home), _figures(home)


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with _published(tmp_path_factory.mktemp("taken_in")) as home:
        home.do("consume", "--once")
        yield home


def _count(connection: psycopg.Connection, query: str, *values: object) -> int:
    (number,) = connection.execute(query.encode(), values).fetchone() or (0,)
    return int(number)


def _received(connection: psycopg.Connection) -> int:
    return _count(connection, RECEIVED)


def _projected(connection: psycopg.Connection) -> int:
    return _count(connection, PROJECTED, read_checkpoint(connection))


def _interrupt(home: Home, command: str, numbers: list[signal.Signals], done: Callable[[Any], int], all_: int) -> None:
    """Start a command again and again, and send it a signal each time, at a random moment of its work."""
    chance = random.Random(f"{command} {numbers}")  # noqa: S311
    share = all_ // (len(numbers) + 1)
    with home.connect() as watch:
        for number in numbers:
            until(lambda: not _count(watch, AT_WORK), "what was killed is still at work")
            goal = min(done(watch) + chance.randrange(1, share), all_ - 1)
            process = home.start(command)
            until(lambda: process.poll() is not None or done(watch) >= goal, f"{command} does not get on")  # noqa: B023
            time.sleep(chance.uniform(0, 0.03))
            process.send_signal(number)
            _require_end(ended(process), number)
        assert done(watch) > 0


def _require_end(done: subprocess.CompletedProcess[str], number: signal.Signals) -> None:
    if number == signal.SIGKILL:
        assert done.returncode == -signal.SIGKILL, done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert beside_progress(done) == []
        assert re.search(r"[\d,]+ (messages received|events applied)", done.stdout)


def test_a_killed_consumer_loses_and_doubles_nothing(published: Home, undisturbed: tuple[Outcome, Any]) -> None:
    expected = undisturbed[0]
    _interrupt(published, "consume", [signal.SIGKILL] * KILLS, _received, expected.balance["received"])
    published.do("consume", "--once")
    assert _outcome(published) == expected


def test_a_consumer_asked_to_end_finishes_its_batch(published: Home, undisturbed: tuple[Outcome, Any]) -> None:
    expected = undisturbed[0]
    asked = [signal.SIGTERM, signal.SIGINT] * (KILLS // 4)
    _interrupt(published, "consume", asked, _received, expected.balance["received"])
    published.do("consume", "--once")
    assert _outcome(published) == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_consumer_that_was_to_take_in_all_says_that_it_did_not(published: Home, number: signal.Signals) -> None:
    with published.connect() as watch, watch.transaction():
        watch.execute("LOCK TABLE bronze.messages IN SHARE MODE")
        process = published.start("consume", "--once")
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        until(lambda: process.poll() is not None or _count(watch, waits), "nothing is written")
        process.send_signal(number)
    done = ended(process)
    assert "nothing is lost" in the_one_line(done)
    assert done.returncode == 128 + number


def test_an_interrupted_follower_projects_everything_once(taken_in: Home, undisturbed: tuple[Outcome, Any]) -> None:
    numbers = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT] * (KILLS // 4)
    _interrupt(taken_in, "project", numbers, _projected, len(undisturbed[0].log))
    taken_in.do("project", "--once", project_batch_size=10_000)
    assert taken_in.json("verify")["equal"] is True
    assert _figures(taken_in) == undisturbed[1]


def test_an_interrupted_rebuild_leaves_figures_as_they_were(taken_in: Home, undisturbed: tuple[Outcome, Any]) -> None:
    taken_in.do("project", "--once")
    chance = random.Random("rebuild")  # noqa: S311
    with taken_in.connect() as watch:
        for number in [signal.SIGKILL, signal.SIGTERM, signal.SIGINT] * (KILLS // 4):
            until(lambda: not _count(watch, REBUILDING), "the one that was killed holds its lock")
            left = _aside(watch)  # by one that was killed, to be gone on with
            process = taken_in.start("rebuild", "--workers", 2)
            until(lambda: process.poll() is not None or _count(watch, REBUILDING), "nothing is built")  # noqa: B023
            time.sleep(chance.uniform(0, 0.2))
            process.send_signal(number)
            done = ended(process)
            if number == signal.SIGKILL:
                assert done.returncode == -signal.SIGKILL
            else:
                assert "nothing is lost" in the_one_line(done)
                assert done.returncode == 128 + number
                assert _aside(watch) <= left
        assert _figures(taken_in) == undisturbed[1]
        assert taken_in.json("rebuild")["swapped"] is True
        assert not _aside(watch)
    assert _figures(taken_in) == undisturbed[1]


def test_a_rebuild_whose_database_is_killed_is_gone_on_with_once_it_is_back(taken_in: Home) -> None:
    taken_in.do("project", "--once")
    process = taken_in.start("rebuild", "--workers", 2, "--shards", 6)
    with _answers(taken_in) as answer:
        until(lambda: process.poll() is not None or answer(LOADED) > 1, "no shard is loaded")
    _kill(taken_in)
    ended_badly = ended(process)
    assert ended_badly.returncode == 1
    assert "the database of the read models" in the_one_line(ended_badly)
    rebuilt = taken_in.json("rebuild")
    assert (rebuilt["swapped"], rebuilt["certificate"]["equal"]) == (True, True)
    with taken_in.connect() as watch:
        assert not _aside(watch)


def _aside(connection: psycopg.Connection) -> set[str]:
    """Return the names of the schemas that a rebuild works in."""
    query = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(silver|gold)_build_'"
    return {name for (name,) in connection.execute(query)}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of files and its mapping: products, one a line."""
    data, mapping = tmp_path / "data", tmp_path / "mapping"
    data.mkdir()
    mapping.mkdir()
    lines = [f"{number},Product {number},{number % 7}.50" for number in range(PRODUCTS)]
    (data / "products.csv").write_text("\n".join(["sku,name,price", *lines]) + "\n")
    (mapping / "mapping.toml").write_text(
        'name = "shop"\nzone = "UTC"\ncurrency = "EUR"\n\n[files.products]\npath = "products.csv"\n'
        'types = { price = "DECIMAL(18, 2)" }\n'
    )
    (mapping / "10_RegisterProduct.sql").write_text(
        "SELECT sku AS product_id, DATE '2026-01-01' AS occurred_at, name, price AS unit_price, _file, _line\n"
        "FROM products ORDER BY _line\n"
    )
    return data, mapping


def test_a_killed_ingest_of_files_goes_on_where_it_was(home: Home, files: tuple[Path, Path]) -> None:
    command = ("ingest", "files", files[0], "--mapping", files[1])
    home.keep_server().do("status")
    moments: list[Callable[[psycopg.Connection], bool]] = [
        lambda watch: _count(watch, "SELECT count(*) FROM stream.messages") > 0,
        lambda watch: _received(watch) > PRODUCTS // 4,
        lambda watch: _projected(watch) > PRODUCTS // 4,
    ]
    with home.connect() as watch:
        for moment in moments:
            process = home.start(*command, **SMALL)
            until(lambda: process.poll() is not None or moment(watch), "ingest does not get on")  # noqa: B023
            process.kill()
            done = ended(process)
            assert done.returncode == -signal.SIGKILL, done.stderr
        home.do(*command)
        log = event_log(watch)
    streams = Counter(stream for stream, _, _, _ in log)
    assert streams == {f"product-{number}": 1 for number in range(PRODUCTS)}
    status = home.json("status")
    assert status["balance_holds"] is True
    assert (status["applied"], status["quarantined"], status["stream_behind"]) == (PRODUCTS, 0, 0)
    assert home.json("verify")["equal"] is True


def _kill_the_server(home: Home, process: subprocess.Popen[str], at_least: int) -> None:
    """Kill the database server, its main process first, once so many messages were taken in."""
    with _answers(home) as answer:
        until(lambda: process.poll() is not None or answer(RECEIVED) > at_least, "consume does not get on")
    _kill(home)


def _kill(home: Home) -> None:
    server = home.server_pid()
    assert server is not None
    os.kill(server, signal.SIGKILL)
    until(lambda: home.server_pid() != server, "the server does not go away")


@contextmanager
def _answers(home: Home) -> Iterator[Callable[[str], int]]:
    """Give what returns the number that a query gives, -1 while the server is away; it connects when it must."""
    with ExitStack() as connections:
        watch: psycopg.Connection | None = None

        def answer(query: str) -> int:
            nonlocal watch
            try:
                if watch is None or watch.closed:
                    watch = connections.enter_context(closing(home.connect()))
                return _count(watch, query)
            except (psycopg.Error, IndexError):
                return -1

        yield answer


def test_a_killed_database_recovers_with_all_that_was_committed(
    published: Home, undisturbed: tuple[Outcome, Any]
) -> None:
    process = published.start("consume", "--once", batch_size=20)
    _kill_the_server(published, process, at_least=500)
    done = ended(process)
    assert "database" in the_one_line(done)
    assert done.returncode == 1
    published.do("consume", "--once")
    assert _outcome(published) == undisturbed[0]


def test_a_consumer_outlives_its_database(published: Home, undisturbed: tuple[Outcome, Any]) -> None:
    process = published.start("consume", batch_size=20)
    for kill in range(KILLS // 4):
        _kill_the_server(published, process, at_least=500 * (kill + 1))
    with _answers(published) as answer:
        until(lambda: process.poll() is not None or answer(BEHIND) == 0, "it does not go on")
    process.terminate()
    done = ended(process)
    assert done.returncode == 0, done.stderr
    assert "consume waits" in done.stderr
    assert "Traceback" not in done.stderr
    assert _outcome(published) == undisturbed[0]


def test_a_server_whose_user_was_killed_stops_with_the_next_that_leaves(home: Home) -> None:
    home.copy_unused()
    process = home.start("consume")
    at_work = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'dataflow consume%%'"
    with _answers(home) as answer:
        until(lambda: process.poll() is not None or answer(at_work) > 0, "consume does not get to work")
    process.kill()
    assert ended(process).returncode == -signal.SIGKILL
    assert home.server_pid() is not None
    home.do("status")
    assert home.server_pid() is None


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process that has nothing to do with PostgreSQL."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


@pytest.mark.parametrize("left", ["", "{dead}\n{data}\n", "{alive}\n{data}\n1\n5432\n{data}\n\n1 1\nready\n"])
def test_a_pid_file_that_a_killed_server_left_is_no_obstacle(home: Home, stranger: int, left: str) -> None:
    home.copy_unused()
    data = home.folder / "postgres"
    (data / "postmaster.pid").write_text(left.format(dead=2**22 - 1, alive=stranger, data=data))
    assert home.json("status")["balance_holds"] is True
