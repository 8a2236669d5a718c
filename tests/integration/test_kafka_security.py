"""A broker that asks for TLS and a password: settings pass through, and a wrong one is named in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.errors import KafkaRefusedError, KafkaSettingsError
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.topics import ensure_topics
from application.ports.message_stream import OutgoingMessage
from deploy.services import native
from deploy.services.kafka import secured
from entrypoints.settings import from_environment
from tests.acceptance.home import Home
from tests.kafka_topics import require_own_broker

PATIENCE = 30.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[secured.Secured]:
    require_own_broker()
    folder = tmp_path_factory.mktemp("secured")
    running = native.start(secured.SECURED, folder)
    yield secured.access(folder)
    native.kill(running)


def environment(broker: secured.Secured, **changed: str) -> dict[str, str]:
    """The variables that an operator sets."""
    settings = {
        "bootstrap": broker.address,
        "security_protocol": "SASL_SSL",
        "ssl_ca_location": str(broker.certificate),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": secured.USER,
        "sasl_password": broker.password,
    } | changed
    return {f"DATAFLOW_KAFKA_{name.upper()}": value for name, value in settings.items()}


def connection(broker: secured.Secured, **changed: str) -> KafkaConnection:
    settings = from_environment(environment(broker, **changed))
    assert settings.kafka_bootstrap is not None
    return KafkaConnection(settings.kafka_bootstrap, "group", "", settings.kafka_properties)


def test_messages_travel_over_tls_with_a_password(broker: secured.Secured) -> None:
    reached = connection(broker)
    ensure_topics(reached.reach())
    sent = [OutgoingMessage("orders", f"key-{n}", b"%d" % n) for n in range(20)]
    with closing(KafkaMessageStream(reached)) as stream:
        stream.publish(sent)
        received = []
        while len(received) < len(sent):
            received += (polled := stream.poll(100, PATIENCE))
            assert polled
    assert {message.payload for message in received} == {message.payload for message in sent}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sasl_password": "wrong"}, r"SASL authentication error: .*invalid credentials"),
        ({"sasl_username": "nobody"}, r"SASL authentication error: .*invalid credentials"),
        ({"sasl_mechanism": "PLAIN"}, r".*mechanism"),
    ],
)
def test_wrong_settings_are_said_in_one_line_without_the_password(
    broker: secured.Secured, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(KafkaRefusedError, match=rf"Kafka .*{broker.address}.*: .*{said}") as refused:
        connection(broker, **changed).reach()
    assert broker.password not in str(refused.value)


def test_a_certificate_that_is_not_trusted_is_refused(broker: secured.Secured, tmp_path: Path) -> None:
    secured.certify(tmp_path, "another key's store")
    with pytest.raises(KafkaRefusedError, match="certificate verify failed"):
        connection(broker, ssl_ca_location=str(tmp_path / "broker.pem")).reach()
    with pytest.raises(KafkaSettingsError, match=r"ssl\.ca\.location failed"):
        connection(broker, ssl_ca_location=str(tmp_path / "missing.pem")).reach()


def test_a_command_says_one_line(broker: secured.Secured, tmp_path: Path) -> None:
    names = {name.removeprefix("DATAFLOW_"): value for name, value in environment(broker).items()}
    with closing(Home(tmp_path / "home", **names).keep_server()) as home:
        assert home.json("status")["stream_behind"] == 20
        said = home.refusal("status", kafka_sasl_password="wrong")  # noqa: S106
    assert "SASL authentication error" in said
