"""The settings of monitoring."""

from __future__ import annotations

import pytest

from entrypoints.settings import SettingsError, from_environment


def test_nothing_is_served_unless_a_port_is_set() -> None:
    assert from_environment({}).health_port is None
    settings = from_environment({"DATAFLOW_HEALTH_PORT": "9100"})
    assert (settings.health_host, settings.health_port) == ("127.0.0.1", 9100)
    assert from_environment({"DATAFLOW_HEALTH_HOST": "0.0.0.0"}).health_host == "0.0.0.0"  # noqa: S104


def test_structured_logs_tell_more_unless_asked_otherwise() -> None:
    assert (from_environment({}).log_format, from_environment({}).log_level) == ("text", "warning")
    assert from_environment({"DATAFLOW_LOG_FORMAT": "JSON"}).log_level == "info"
    assert from_environment({"DATAFLOW_LOG_FORMAT": "json", "DATAFLOW_LOG_LEVEL": "error"}).log_level == "error"


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATAFLOW_HEALTH_PORT", "0"), ("DATAFLOW_HEALTH_PORT", "http"), ("DATAFLOW_LOG_FORMAT", "xml")],
)
def test_a_value_that_can_not_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        from_environment({name: value})
