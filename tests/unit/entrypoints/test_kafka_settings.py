"""Kafka's settings from the environment."""

import pytest

from entrypoints.settings import Settings, SettingsError, from_environment


def test_without_brokers_messages_stay_in_the_database() -> None:
    assert from_environment({}).kafka_bootstrap is None
    assert from_environment({"DATAFLOW_KAFKA_BOOTSTRAP": ""}).kafka_bootstrap is None


@pytest.mark.parametrize(
    "brokers",
    ["kafka", "kafka:9092", "a:1, b:65535 ", "a:1,b:2,", "10.0.0.1:9092", "[::1]:9092", "SASL_SSL://a:1,ssl://b:2"],
)
def test_brokers_are_hosts_with_or_without_a_port(brokers: str) -> None:
    assert from_environment({"DATAFLOW_KAFKA_BOOTSTRAP": brokers}).kafka_bootstrap == brokers


@pytest.mark.parametrize(
    "brokers",
    ["  ", ",", "kafka:", "kafka:0", "kafka:65536", "kafka:port", "kafka://a:1", "http://a:1", "a:1;b:2", "a:1 b:2"],
)
def test_brokers_that_are_none_are_a_mistake(brokers: str) -> None:
    with pytest.raises(SettingsError, match="DATAFLOW_KAFKA_BOOTSTRAP can't be read; it takes host:port"):
        from_environment({"DATAFLOW_KAFKA_BOOTSTRAP": brokers})


def test_a_password_among_the_brokers_is_not_shown() -> None:
    with pytest.raises(SettingsError) as told:
        from_environment({"DATAFLOW_KAFKA_BOOTSTRAP": "ann:hunter2@kafka:9092"})
    assert "hunter2" not in str(told.value)


def test_the_other_variables_become_properties_of_the_client() -> None:
    settings = from_environment(
        {
            "DATAFLOW_KAFKA_BOOTSTRAP": "kafka:9092",
            "DATAFLOW_KAFKA_GROUP": "north",
            "DATAFLOW_KAFKA_TOPIC_PREFIX": "north.",
            "DATAFLOW_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "DATAFLOW_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "DATAFLOW_KAFKA_SSL_CA_LOCATION": "",
        }
    )
    assert settings == Settings(
        kafka_bootstrap="kafka:9092",
        kafka_group="north",
        kafka_topic_prefix="north.",
        kafka_properties={"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512"},
    )


def test_secrets_are_not_shown() -> None:
    environment = {"DATAFLOW_KAFKA_BOOTSTRAP": "kafka:9092", "DATAFLOW_KAFKA_SASL_PASSWORD": "hunter2"}
    settings = from_environment(environment)
    assert settings.kafka_properties == {"sasl.password": "hunter2"}
    assert "hunter2" not in repr(settings)


def test_properties_without_brokers_are_a_mistake() -> None:
    with pytest.raises(SettingsError, match="DATAFLOW_KAFKA_GROUP is set, but DATAFLOW_KAFKA_BOOTSTRAP is not"):
        from_environment({"DATAFLOW_KAFKA_GROUP": "north"})
