"""Who runs a command."""

import getpass
import os

import pytest

from entrypoints.cli.context import current_user


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert current_user() == f"user {os.getuid()}"
    monkeypatch.undo()
    monkeypatch.setenv("LOGNAME", "ann")
    assert current_user() == "ann"
