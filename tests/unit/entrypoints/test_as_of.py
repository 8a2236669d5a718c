"""A moment as the command line takes it."""

import re
from datetime import UTC, datetime

import click
import pytest

from entrypoints.cli.as_of import Moment


@pytest.mark.parametrize(
    ("given", "hint"), [("2026-10-01", "2026-10-01T00:00Z"), ("2026-10-01T08:30", "2026-10-01T08:30Z")]
)
def test_the_zone_that_is_asked_for_can_be_given_as_the_message_says(given: str, hint: str) -> None:
    with pytest.raises(click.BadParameter, match=re.escape(f"write {hint} for UTC")):
        Moment().convert(given, None, None)
    assert Moment().convert(hint, None, None) == datetime.fromisoformat(given).replace(tzinfo=UTC)
