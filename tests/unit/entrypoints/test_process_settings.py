import pytest
from click.testing import CliRunner

from entrypoints.cli.process import process
from entrypoints.settings import SettingsError, from_environment


def test_no_process_is_on_unless_it_is_named() -> None:
    assert from_environment({}).processes == ()
    assert from_environment({"DATAFLOW_PROCESSES": " enrichment,fulfilment"}).processes == ("fulfilment", "enrichment")


def test_an_unknown_process_is_named_in_the_error() -> None:
    with pytest.raises(SettingsError, match="DATAFLOW_PROCESSES names 'shipping'; it takes some of fulfilment,"):
        from_environment({"DATAFLOW_PROCESSES": "shipping"})


def test_where_none_is_on_the_command_says_how_to_switch_one_on() -> None:
    said = CliRunner(env={"DATAFLOW_PROCESSES": None}).invoke(process, ["--once"])
    assert said.exit_code == 2
    assert "name one of fulfilment, enrichment, or set DATAFLOW_PROCESSES" in said.output
