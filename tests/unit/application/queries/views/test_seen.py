"""A view is made once for each revision, and shown with its problem while it can't be made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from application.errors import PlatformError
from application.queries.views.seen import LastSeen

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)


def away() -> str:
    raise PlatformError("the database\ndoes not answer")


def test_the_same_revision_is_asked_once_and_is_as_fresh_as_the_question() -> None:
    views = LastSeen()
    assert views.see("q", lambda: "1", lambda: "first", NOW) == ("first", NOW, None)
    assert views.see("q", lambda: "1", away, LATER) == ("first", LATER, None)


def test_another_revision_or_question_is_made_anew() -> None:
    views = LastSeen()
    views.see("q", lambda: "1", lambda: "first", NOW)
    assert views.see("q", lambda: "2", lambda: "second", NOW).view == "second"
    assert views.see("other", lambda: "2", lambda: "third", NOW).view == "third"


@pytest.mark.parametrize("revision", [away, lambda: "2"])
def test_what_was_seen_last_comes_with_the_problem(revision: object) -> None:
    views = LastSeen()
    views.see("q", lambda: "1", lambda: "first", NOW)
    assert views.see("q", revision, away, LATER) == ("first", NOW, "the database does not answer")  # type: ignore[arg-type]


def test_where_nothing_was_seen_the_problem_is_raised() -> None:
    with pytest.raises(PlatformError):
        LastSeen().see("q", away, lambda: "", NOW)


def test_only_so_many_are_kept_those_asked_for_last() -> None:
    views = LastSeen(most=2)
    for question in ("a", "b", "a", "c"):
        views.see(question, lambda: "1", lambda: "first", NOW)
    assert views.see("a", lambda: "1", lambda: "again", NOW).view == "first"
    assert views.see("b", lambda: "1", lambda: "again", NOW).view == "again"
