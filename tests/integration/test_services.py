"""The tests' servers: those that were started speak their protocols; starting and stopping them is safe to repeat."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
import yaml

from deploy.services import commands, containers, native
from deploy.services.catalogue import SERVERS
from deploy.services.process import spawn, started_at, stop
from deploy.services.registry import Running, read
from deploy.services.server import HOST, Server, ServiceError
from entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
REQUIRED = os.environ.get("DATAFLOW_REQUIRE_SERVICES") == "1"
FIVE_MEGABYTES = 5_000_000


def running(name: str) -> Running:
    found = read().get(name)
    if found is None and REQUIRED:
        pytest.fail(f"{name} is required and was not started: make services")
    if found is None:
        pytest.skip(f"{name} was not started: make services")
    return found


@pytest.mark.parametrize("name", SERVERS)
def test_a_started_server_speaks_its_protocol(name: str) -> None:
    assert commands.answers(running(name))


@pytest.mark.parametrize("name", ["kafka", "redis", "mongo"])
def test_a_server_of_another_kind_is_not_taken_for_it(name: str) -> None:
    assert not SERVERS[name].answers(running("postgres").port)


def test_postgres_is_reached_over_tcp_and_keeps_every_commit() -> None:
    with psycopg.connect(running("postgres").url) as connection:
        assert connection.info.host == HOST
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


@pytest.mark.skipif(not find_spec("confluent_kafka"), reason="confluent-kafka is not installed")
def test_kafka_keeps_a_message_of_five_megabytes() -> None:
    from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: PLC0415
    from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415

    address = {"bootstrap.servers": running("kafka").url}
    topic = f"large-{os.getpid()}"
    admin = AdminClient(address)
    admin.create_topics([NewTopic(topic, num_partitions=1)])[topic].result(10)
    try:
        producer = Producer({**address, "message.max.bytes": 8_000_000})
        producer.produce(topic, b"x" * FIVE_MEGABYTES)
        assert producer.flush(10) == 0
        consumer = Consumer({**address, "group.id": topic})
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(10)
        consumer.close()
        assert message is not None
        assert len(message.value() or b"") == FIVE_MEGABYTES
    finally:
        admin.delete_topics([topic])[topic].result(10)


def page_answers(port: int) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def server(name: str, start: Callable[[Path, int], int]) -> Server:
    return Server(name, lambda: None, start, page_answers, lambda port: f"http://{HOST}:{port}", start_seconds=20)


PAGE = server(
    "page",
    lambda folder, port: spawn([sys.executable, "-m", "http.server", "--bind", HOST, str(port)], folder / "server.log"),
)
BROKEN = server("broken", lambda folder, _: spawn(["sh", "-c", "echo no such setting; exit 3"], folder / "server.log"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setitem(SERVERS, "page", PAGE)
    monkeypatch.setitem(SERVERS, "broken", BROKEN)
    yield tmp_path
    list(commands.down(["page", "broken"], folder=tmp_path))


def test_starting_twice_starts_once(folder: Path) -> None:
    list(commands.up(["page"], docker=False, folder=folder))
    first = read(folder)["page"]
    (_, said, good) = next(commands.up(["page"], docker=False, folder=folder))
    assert good
    assert "already" in said
    assert read(folder)["page"] == first
    assert page_answers(first.port)


def test_a_server_that_cannot_start_says_why_and_holds_up_no_other(folder: Path) -> None:
    outcomes = {name: (said, good) for name, said, good in commands.up(["broken", "page"], docker=False, folder=folder)}
    said, good = outcomes["broken"]
    assert not good
    assert "no such setting" in said
    assert len(said.splitlines()) == 1
    assert list(read(folder)) == ["page"]


def test_a_stopped_server_comes_back_where_it_was(folder: Path) -> None:
    list(commands.up(["page"], docker=False, folder=folder))
    first = read(folder)["page"]
    list(commands.down(["page"], folder=folder))
    assert not page_answers(first.port)
    assert read(folder) == {}
    list(commands.up(["page"], docker=False, folder=folder))
    assert read(folder)["page"].port == first.port


def test_a_killed_server_is_seen_and_started_again(folder: Path) -> None:
    list(commands.up(["page"], docker=False, folder=folder))
    killed = read(folder)["page"]
    native.kill(killed)
    assert not commands.answers(killed)
    list(commands.up(["page"], docker=False, folder=folder))
    assert commands.answers(read(folder)["page"])


def test_postgres_comes_back_at_once_after_a_kill(tmp_path: Path) -> None:
    first = native.start(SERVERS["postgres"], tmp_path)
    try:
        with psycopg.connect(first.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            native.kill(first)
        first = native.start(SERVERS["postgres"], tmp_path)
        with psycopg.connect(first.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        native.end(SERVERS["postgres"], first)
    assert not native.lives(first)


def test_a_later_process_with_the_same_pid_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "30"]) as later:
        began = started_at(later.pid)
        assert began is not None
        stop(later.pid, began - 60, PAGE.gentle)
        assert later.poll() is None
        later.kill()


def docker(folder: Path, engine: bool) -> str:
    """Put a program in `folder` that stands for Docker: `up` serves a page on the port that it's told."""
    serve = f'"{sys.executable}" -m http.server --bind "$SERVICE_HOST" "$SERVICE_PORT"'
    program = folder / "docker"
    program.write_text(
        f"""#!/bin/sh
        echo "$@" >>"{folder}/calls"
        case "$*" in
            info) exit {0 if engine else 1} ;;
            *" up "*) {serve} >"{folder}/log" 2>&1 & echo $! >"{folder}/pid" ;;
            *" stop "*) kill $(cat "{folder}/pid") ;;
        esac
        """
    )
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_with_an_engine_the_servers_are_containers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", docker(tmp_path, engine=True))
    list(commands.up(["page"], folder=folder))
    container = read(folder)["page"]
    assert container.pid is None
    assert commands.answers(container)
    list(commands.down(["page"], folder=folder))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[-1].endswith("stop page")
    assert read(folder) == {}


def test_without_an_engine_they_are_processes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", docker(tmp_path, engine=False))
    assert not containers.engine_answers()
    list(commands.up(["page"], folder=folder))
    assert read(folder)["page"].pid is not None


def test_the_record_is_for_programs_to_read(folder: Path) -> None:
    list(commands.up(["page"], docker=False, folder=folder))
    record = json.loads((folder / "services.json").read_text())
    assert record["page"]["url"] == f"http://{HOST}:{record['page']['port']}"


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="install the package redis-server"):
        SERVERS["redis"].install()


COMPOSE = ("docker-compose.yml", "deploy/services/docker-compose.yml")


@pytest.mark.parametrize("name", COMPOSE)
def test_every_image_is_pinned_to_an_exact_version(name: str) -> None:
    images = re.findall(r"^ +image: (.+)$", (ROOT / name).read_text(), re.MULTILINE)
    assert images
    assert [image for image in images if not re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?", image)] == []


def test_the_stack_holds_no_password_and_asks_for_each() -> None:
    secrets = re.findall(r"^ +\w*(?:PASSWORD|AUTH|SECRET|TOKEN): (.+)$", (ROOT / COMPOSE[0]).read_text(), re.MULTILINE)
    assert len(secrets) == 6
    assert [secret for secret in secrets if not re.match(r"\$\{\w+:\?", secret)] == []


def services() -> dict[str, dict[str, Any]]:
    """The services of the stack."""
    stack = yaml.safe_load((ROOT / COMPOSE[0]).read_text())
    expected = {"consumer", "follower", "relay", "dashboard", "kafka", "postgres", "airflow-scheduler"}
    assert expected <= stack["services"].keys()
    return dict(stack["services"])


@pytest.mark.parametrize("name", services())
def test_every_service_of_the_stack_is_watched_and_bounded(name: str) -> None:
    service = services()[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    assert service["cpus"] > 0
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize(("name", "server"), [("redis", "redis-server"), ("postgres", "postgres"), ("mongo", "mongod")])
def test_servers_of_the_stack_do_not_run_as_root(name: str, server: str) -> None:
    """Their images' entrypoints look at the first word of the command, and go on as a user of their own."""
    command = services()[name].get("command", server)
    words = command if isinstance(command, list) else command.split()
    started = words[0] if words[:2] != ["sh", "-c"] else words[2].removeprefix("exec docker-entrypoint.sh ").split()[0]
    assert started == server


def test_what_servers_of_the_stack_keep_is_in_volumes_of_their_own() -> None:
    stack = yaml.safe_load((ROOT / COMPOSE[0]).read_text())
    kept = [volume.split(":")[0] for service in stack["services"].values() for volume in service.get("volumes", ())]
    assert set(kept) == set(stack["volumes"])
    own = {name for name, service in services().items() if service["image"].startswith("dataflow-platform")}
    assert all(service.get("volumes") for name, service in services().items() if name not in own)


def test_the_stack_sets_only_what_the_platform_reads() -> None:
    known = {f"DATAFLOW_{field.name.upper()}" for field in fields(Settings)}
    known |= set(re.findall(r"DATAFLOW_\w+", (ROOT / "src" / "entrypoints" / "page_settings.py").read_text()))
    assert set(re.findall(r"DATAFLOW_\w+", (ROOT / COMPOSE[0]).read_text())) <= known
