"""What docs/operations.md names within its text is there: commands, options, settings, extras, topics."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from confluent_kafka import KafkaException, Producer

from adapters.kafka.topics import TOPICS, Topic
from entrypoints.cli.main import cli
from entrypoints.settings import KAFKA, KAFKA_OWN
from tests.acceptance.operations_guide import GUIDE, names, text_commands

ROOT = Path(__file__).parents[2]
DAY_MS = 24 * 60 * 60 * 1_000


@pytest.mark.parametrize("words", dict.fromkeys(text_commands()), ids=" ".join)
def test_commands_exist_with_their_options(words: tuple[str, ...]) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    for word in words:
        if word.startswith("--"):
            assert word in {option for each in command.params for option in each.opts}
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            assert found is not None, word
            command = found


@pytest.mark.parametrize("name", sorted(names(r"\bDATAFLOW_\w*[A-Z]\b")))
def test_settings_exist(name: str) -> None:
    kafka = name.removeprefix(KAFKA)
    if kafka != name and kafka not in KAFKA_OWN:
        assert _is_a_property(kafka.lower().replace("_", "."))
        return
    sources = (path for folder in ("src", "dags") for path in (ROOT / folder).rglob("*.py"))
    assert any(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for path in sources)


def _is_a_property(name: str) -> bool:
    """Return whether the Kafka client knows a property; one that it knows may refuse the value."""
    try:
        Producer({name: "1", "log_level": 0})
    except KafkaException as error:
        return "No such configuration property" not in str(error)
    return True


def test_extras_that_are_installed_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {extra for listed in names(r"\.\[([\w,-]+)\]") for extra in listed.split(",")}
    assert named
    assert named <= extras.keys()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_topics_have_the_settings_of_their_row(topic: Topic) -> None:
    kept = f"{topic.retention_ms // DAY_MS} days" if topic.retention_ms >= 0 else "for ever"
    settings = f"| {topic.partitions} | {kept} | {topic.max_message_bytes >> 20} MiB |"
    rows = re.findall(rf"^\|[^|\n]*`{topic.name}`[^|\n]*(\|.*\|)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert settings in rows
