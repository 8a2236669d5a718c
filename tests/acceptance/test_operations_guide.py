"""docs/operations.md, tried: each command of its blocks is run on real servers, in order, or listed with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from tests.acceptance.home import Home, free_port, until
from tests.acceptance.operations_guide import Command, commands, names
from tests.acceptance.watched import STOP_SECONDS, Running
from tests.kafka_topics import fresh_topics
from tests.mongo_server import fresh_mongo
from tests.postgres_server import fresh_database
from tests.redis_server import fresh_namespace, redis_url

PAST = ("--orders", 20, "--days", 12, "--start", "2026-01-12", "--broken", 0.02)
SECONDS = 30.0

INSTALLS = "it would change the installation that the tests run in"
AIRFLOW = "it is Airflow's own; tests/scheduling runs the DAGs"
POSTGRES = "it is PostgreSQL's own; test_restored_backup.py runs it"
NO_TLS = "no broker with TLS; tests/integration/test_kafka_security.py starts one"
NOT_RUN = {
    "pip install -c constraints.txt .[embedded,kafka]": INSTALLS,
    "pip install -c constraints.txt .[embedded,http]": INSTALLS,
    "pip install -c constraints.txt .[redis]": INSTALLS,
    "pip install -c constraints.txt .[embedded,airflow]": INSTALLS,
    "pip install -c constraints.txt .[mongo]": INSTALLS,
    "pg_dump --format=custom --file=dataflow.dump --dbname=$DATAFLOW_DATABASE_URL": POSTGRES,
    "pg_restore --clean --create --dbname=$SERVER_URL dataflow.dump": POSTGRES,
    "export DATAFLOW_KAFKA_SECURITY_PROTOCOL=SASL_SSL": NO_TLS,
    "export DATAFLOW_KAFKA_SSL_CA_LOCATION=/etc/ssl/kafka.pem": NO_TLS,
    "export DATAFLOW_KAFKA_SASL_MECHANISM=SCRAM-SHA-512": NO_TLS,
    "export DATAFLOW_KAFKA_SASL_USERNAME=dataflow": NO_TLS,
    "export DATAFLOW_KAFKA_SASL_PASSWORD": NO_TLS,
    "export AIRFLOW__CORE__DAGS_FOLDER=$PWD/dags AIRFLOW__CORE__LOAD_EXAMPLES=false": AIRFLOW,
    "export PYTHONPATH=$PWD/dags": AIRFLOW,
    "airflow db migrate": AIRFLOW,
    "airflow pools set dataflow_database 4 what works on the database at once": AIRFLOW,
    "airflow standalone": AIRFLOW,
    "airflow dags unpause --treat-dag-id-as-regex --yes .*": AIRFLOW,
    "airflow backfill create --dag-id daily_supply_chain --from-date 2026-01-21 --to-date 2026-01-24 "
    "--max-active-runs 1": AIRFLOW,
    'airflow dags trigger daily_supply_chain --conf {"day": "2026-01-20"}': AIRFLOW,
    "airflow dags list-runs daily_supply_chain": AIRFLOW,
    'airflow dags trigger rebuild_projections --conf {"shards": 8}': AIRFLOW,
    'airflow dags trigger rebuild_projections --conf {"shards": 8, "as_of": "2026-01-24T00:00Z", "into": "january"}': (
        AIRFLOW
    ),
    'airflow dags trigger rebuild_projections --conf {"shards": 8, "accept_changes": true}': AIRFLOW,
    "python -c from daily_supply_chain import DAG; DAG.deadline = None; "
    'DAG.test(run_conf={"day": "2026-01-20"})': AIRFLOW,
}
"""Commands that can't be run here, and why."""

GOES_ON: dict[str, str] = {
    "dataflow consume": "/ready",
    "dataflow project": "/ready",
    "dataflow relay": "/ready",
    "DATAFLOW_PROCESSES=fulfilment,enrichment dataflow process": "/ready",
    "dataflow dashboard": "/",
    "dataflow demo --decided-by platform": "/",
    "dataflow ingest catalog --follow": "all its documents are compared",
}
"""Commands that go on until SIGTERM: the page that answers once they are ready, or what they say."""

ENDS_WITH = {
    ("Repair", "dataflow quarantine retry 1"): (1, "stays"),
    ("Weather, routes and places", "dataflow doctor"): (1, "Connection refused"),
}
"""Commands that the guide says end otherwise than with 0 in the state that they are run in here, and what they say."""

OF_KAFKA = "Kafka"
"""The section whose database has not taken in anything yet: one that did belongs to its own topic log."""


class Past(NamedTuple):
    """A database with a past, to be copied; the time between its two parts."""

    database: str
    closed_at: str


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with fresh_database("past") as url, closing(Home(tmp_path_factory.mktemp("home"), database_url=url)) as home:
        home.do("generate", *PAST, "--seed", 1)
        home.do("consume", "--once")
        closed_at = datetime.now(UTC).isoformat()
        home.do("generate", *PAST, "--seed", 2)
        home.do("consume", "--once")
        home.do("project", "--once")
        yield Past(url.rpartition("/")[2], closed_at)


@pytest.fixture(scope="module")
def metrics() -> dict[str, set[str]]:
    """The names of the metrics that commands of each section answered with, once it was run to its end."""
    return {}


def _kafka(stack: ExitStack) -> dict[str, str]:
    kafka = stack.enter_context(fresh_topics())
    return {
        "DATAFLOW_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "DATAFLOW_KAFKA_GROUP": kafka.group,
        "DATAFLOW_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
    }


def _cache(stack: ExitStack) -> dict[str, str]:
    return {"DATAFLOW_REDIS_URL": redis_url(), "DATAFLOW_CACHE_NAMESPACE": stack.enter_context(fresh_namespace())}


def _catalog(stack: ExitStack) -> dict[str, str]:
    return {"DATAFLOW_CATALOG_URL": stack.enter_context(fresh_mongo()).url}


def _nobody(_stack: ExitStack) -> dict[str, str]:
    services = ("WEATHER", "WEATHER_ARCHIVE", "ROUTES", "PLACES")
    return {f"DATAFLOW_{name}_URL": f"http://127.0.0.1:{free_port()}" for name in services}


SERVERS: dict[str, Callable[[ExitStack], dict[str, str]]] = {
    OF_KAFKA: _kafka,
    "Cache": _cache,
    "Catalog": _catalog,
    "Weather, routes and places": _nobody,
}
"""Servers of the tests, in place of those that a section's examples name."""


class Reader:
    """Follows a section: types what it says, with variables of the tests in place of its examples."""

    def __init__(self, folder: Path, given: dict[str, str]) -> None:
        self.metrics: set[str] = set()
        self._folder = folder
        self._given = given
        self._environment = dict(given)

    def follow(self, section: Sequence[Command]) -> None:
        for goes_on, group in groupby(section, lambda command: command.text in GOES_ON):
            if goes_on:
                self._run_beside_each_other(list(group))
            else:
                for command in group:
                    self._run(command)

    def _run(self, command: Command) -> None:
        if command.is_export:
            self._environment |= self._sets(command)
            return
        code, says = ENDS_WITH.get((command.section, command.text), (0, ""))
        with closing(self._home(command)) as home:
            done = home.run(*command.arguments(self._environment))
        assert done.returncode == code, f"line {command.number}, {command.text}: {done.stderr}{done.stdout}"
        assert says in done.stdout
        assert "Traceback" not in done.stderr

    def _run_beside_each_other(self, group: list[Command]) -> None:
        """Start commands that go on, see each ready, and end them by SIGTERM, in the time they name and with code 0."""
        with ExitStack() as stack:
            running = [(command, self._start(stack, command)) for command in group]
            for command, each in running:
                self._await(command, each)
            for command, each in running:
                each.stop(within=STOP_SECONDS if GOES_ON[command.text] == "/ready" else SECONDS)

    def _start(self, stack: ExitStack, command: Command) -> Running:
        port = free_port()
        port_of = "DATAFLOW_DASHBOARD_PORT" if GOES_ON[command.text] == "/" else "DATAFLOW_HEALTH_PORT"
        home = stack.enter_context(closing(self._home(command, {port_of: str(port)})))
        return Running(home.start(*command.arguments(self._environment)), port)

    def _await(self, command: Command, running: Running) -> None:
        ready = GOES_ON[command.text]
        if not ready.startswith("/"):
            assert running.process.stderr is not None
            assert ready in running.process.stderr.readline()
            return

        def answers() -> bool:
            assert running.process.poll() is None, running.process.communicate()
            return running.answer(ready)[0] == 200

        until(answers, f"line {command.number}: {command.text} does not get ready", SECONDS)
        self.metrics.update(name.split()[0] for name in (running.figures() if ready == "/ready" else ()))

    def _home(self, command: Command, more: dict[str, str] | None = None) -> Home:
        environment = self._environment | self._sets(command) | (more or {})
        settings = {name.removeprefix("DATAFLOW_").lower(): value for name, value in environment.items()}
        return Home(self._folder, **settings)

    def _sets(self, command: Command) -> dict[str, str]:
        """Return the variables that a line sets, but for those that are given; no server but ours is ever named."""
        found = dict(word.split("=", 1) for word in command.sets)
        for name in found.keys() - self._given.keys():
            assert not re.search("_URL$|BOOTSTRAP", name), f"line {command.number}: {name} has no server of the tests"
        return found | {name: self._given[name] for name in found.keys() & self._given.keys()}


RUN = [command for command in commands() if command.text not in NOT_RUN]


def test_every_command_of_the_guide_is_run_or_listed() -> None:
    neither = [f"line {each.number}: {each.text}" for each in RUN if not each.is_dataflow and not each.is_export]
    assert not neither, "list what can't be run here in NOT_RUN, with the reason"


def test_what_is_listed_is_in_the_guide() -> None:
    there = {command.text for command in commands()}
    gone = sorted({*NOT_RUN, *GOES_ON, *(text for _, text in ENDS_WITH)} - there)
    assert not gone
    assert SERVERS.keys() | {section for section, _ in ENDS_WITH} <= {command.section for command in RUN}


@pytest.mark.parametrize("section", dict.fromkeys(command.section for command in RUN))
def test_the_commands_of_a_section_do_what_they_say(
    past: Past, metrics: dict[str, set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        given = {"CLOSED_AT": past.closed_at} | (SERVERS[section](stack) if section in SERVERS else {})
        template = "template0" if section == OF_KAFKA else past.database
        given["DATAFLOW_DATABASE_URL"] = stack.enter_context(fresh_database("guide", template))
        reader = Reader(tmp_path / "home", given)
        reader.follow([each for each in RUN if each.section == section])
        metrics[section] = reader.metrics


def test_metrics_that_the_guide_names_are_answered(metrics: dict[str, set[str]]) -> None:
    if not {command.section for command in RUN} <= metrics.keys():
        pytest.skip("not all sections were run to their end")
    named = names(r"\b(dataflow_(?:ready|freshness|last|consume|project|relay|process)\w*)")
    unknown = sorted(named.difference(*metrics.values()))
    assert not unknown
