"""An older backup of the database beside brokers that went on: what was taken in since is taken in again, once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from confluent_kafka import Message

from adapters.kafka.connection import KafkaConnection
from application.relay import RELAY_TOPIC
from tests.acceptance.home import Home, event_log, until
from tests.acceptance.test_relay import kept
from tests.kafka_topics import fresh_topics, settings_of

PAST = ("--orders", 15, "--days", 9, "--start", "2026-01-05", "--broken", 0.05, "--duplicates", 0.05)
COUNTED = ("received", "applied", "duplicate", "quarantined", "stream_behind", "read_model_behind")
SHOP = """
name = "shop"
zone = "UTC"
currency = "EUR"

[tables.orders]
key = "no"
types = { units = "INTEGER" }
"""
PLACE = """
SELECT no AS order_id, DATE '2026-05-01' AS occurred_at, 'c1' AS customer_id, _file,
    [{line_no: 1, product_id: 'A', quantity: units, unit_price: 2::DECIMAL(18, 2)}] AS lines
FROM orders
"""
Backup = Callable[[str], None]


@pytest.fixture
def kafka() -> Iterator[KafkaConnection]:
    with fresh_topics() as connection:
        yield connection


@pytest.fixture
def home(kafka: KafkaConnection, tmp_path: Path) -> Iterator[Home]:
    with closing(Home(tmp_path / "home", **settings_of(kafka)).keep_server()) as platform:
        yield platform


@pytest.fixture
def backup(home: Home, tmp_path: Path) -> Backup:
    """Give what makes a backup of the database, by `pg_dump`, or puts it in its place, by `pg_restore`."""
    pid = home.server_pid()
    assert pid is not None
    programs = Path(psutil.Process(pid).exe()).parent
    file = str(tmp_path / "dataflow.dump")

    def do(program: str) -> None:
        arguments = {
            "pg_dump": ["--format=custom", f"--file={file}", f"--dbname={home.conninfo()}"],
            "pg_restore": ["--clean", "--create", f"--dbname={home.conninfo('postgres')}", file],
        }
        done = subprocess.run([programs / program, *arguments[program]], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    return do


def test_what_was_taken_in_since_the_backup_is_taken_in_again(
    kafka: KafkaConnection, home: Home, backup: Backup
) -> None:
    _more(home, 1)
    backup("pg_dump")
    of_backup = home.json("status")
    for seed in (2, 3):
        _more(home, seed)
    before, log, sent = home.json("status"), _log(home), kept(kafka, RELAY_TOPIC)
    backup("pg_restore")
    assert home.json("status")["log_position"] == of_backup["log_position"]
    _take_in(home)
    after = home.json("status")
    assert {name: after[name] for name in COUNTED} == {name: before[name] for name in COUNTED}
    assert _log(home) == log
    assert home.json("verify")["equal"] is True
    again = _said(kept(kafka, RELAY_TOPIC))
    assert again.total() == len(sent) + before["log_position"] - of_backup["log_position"]
    assert again.keys() == _said(sent).keys()


def test_others_get_each_event_once_from_a_topic_that_is_written_anew(
    kafka: KafkaConnection, home: Home, backup: Backup
) -> None:
    _more(home, 1)
    backup("pg_dump")
    _more(home, 2)
    backup("pg_restore")
    home.do("consume", "--once")
    admin, name = kafka.admin(), kafka.topic_prefix + RELAY_TOPIC
    admin.delete_topics([name])[name].result(30)
    until(lambda: name not in admin.list_topics(timeout=10).topics, "the topic is still there")
    with home.connect() as connection:
        connection.execute("DELETE FROM events.notification_tracking WHERE application_name = 'relay'")
        (events,) = connection.execute("SELECT count(*) FROM events.stored_events").fetchone() or (0,)
    home.do("relay", "--once")
    said = _said(kept(kafka, RELAY_TOPIC))
    assert said.total() == len(said) == events


def test_a_database_as_a_source_tells_again_what_changed_since_the_backup_on_other_topics(
    home: Home, backup: Backup, tmp_path: Path
) -> None:
    """It was told in two portions, which are on the topics so far, and is told in one now."""
    (tmp_path / "mapping.toml").write_text(SHOP)
    (tmp_path / "10_PlaceOrder.sql").write_text(PLACE)
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    ingest = ("ingest", "orders-db", "--mapping", tmp_path, "--url", url)
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as shop:
        shop.execute("CREATE TABLE orders (no text, units text)")
        shop.execute("INSERT INTO orders VALUES ('1', '2')")
        home.do(*ingest)
        backup("pg_dump")
        for units in (5, 9):
            shop.execute("UPDATE orders SET units = ?", [units])
            home.do(*ingest)
    backup("pg_restore")
    with fresh_topics() as other:
        anew = Home(home.folder, **settings_of(other))
        anew.do("switch-log", "--drained")
        anew.do(*ingest)
        assert anew.json("kpi", "units")["rows"][0]["figures"] == {"units": 9}
        assert anew.json("status")["stream_behind"] == 0


def _more(home: Home, seed: int) -> None:
    home.do("generate", *PAST, "--seed", seed, "--run", seed)
    _take_in(home)


def _take_in(home: Home) -> None:
    for command in ("consume", "project", "relay"):
        home.do(command, "--once")


def _log(home: Home) -> list[tuple[str, int, str, Any]]:
    with home.connect() as connection:
        return event_log(connection)


def _said(messages: list[Message]) -> Counter[str]:
    """Return what messages say, whenever and wherever in the log it was recorded."""
    events = [json.loads(message.value() or b"") for message in messages]
    return Counter(json.dumps([event[name] for name in ("id", "type", "data")]) for event in events)
