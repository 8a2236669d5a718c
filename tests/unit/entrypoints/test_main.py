"""How a command that was interrupted ends, whatever its cleaning up runs into."""

import signal
from collections.abc import Iterator

import pytest

from application.ports.read_model import ReadModelUnavailableError
from entrypoints.cli import main
from entrypoints.cli.interruption import Terminated


@pytest.fixture(autouse=True)
def handler_of_the_tests() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def ended(monkeypatch: pytest.MonkeyPatch, error: Exception) -> object:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(main.cli, "main", fail)
    with pytest.raises(SystemExit) as end:
        main.main()
    return end.value.code


@pytest.mark.parametrize(("interruption", "code"), [(Terminated, 143), (KeyboardInterrupt, 130)])
@pytest.mark.parametrize("kind", [ReadModelUnavailableError, OSError])
def test_an_error_while_an_interruption_is_cleaned_up_after_is_an_interruption(
    interruption: type[KeyboardInterrupt],
    code: int,
    kind: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = kind("another command is already in progress")
    error.__cause__ = error.__context__ = ValueError("the driver's")
    error.__context__.__context__ = interruption()
    assert ended(monkeypatch, error) == code
    assert capsys.readouterr().err == "dataflow: interrupted; nothing is lost, start it again to go on\n"


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, ReadModelUnavailableError("the database is away")) == 1
    assert capsys.readouterr().err == "dataflow: the database is away\n"
    monkeypatch.setattr(main.cli, "main", lambda **_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main.main()
