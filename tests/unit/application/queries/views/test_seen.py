"""A view is made once for each revision, and shown with its problem while it can't be made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from application.errors import PlatformError
from application.queries.views.seen import LastSeen, Seen

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)


def away() -> str:
    raise PlatformError("the database\ndoes not answer")


def test_the_same_revision_is_asked_once_and_is_as_fresh_as_the_question() -> None:
    views = LastSeen()
    assert views.see("q", lambda: "1", lambda: "first", NOW) == Seen("first", NOW)
    assert views.see("q", lambda: "1", away, LATER) == Seen("first", LATER)


def test_another_revision_or_question_is_made_anew() -> None:
    views = LastSeen()
    views.see("q", lambda: "1", lambda: "first", NOW)
    assert views.see("q", lambda: "2", lambda: "second", NOW).view == "second"
    assert views.see("other", lambda: "2", lambda: "third", NOW).view == "third"


@pytest.mark.parametrize("revision", [away, lambda: "2"])
def test_what_was_seen_last_comes_with_the_problem(revision: object) -> None:
    views = LastSeen()
    views.see("q", lambda: "1", lambda: "first", NOW)
    problem = Seen("first", NOW, "the database does not answer")
    assert views.see("q", revision, away, LATER) == problem  # type: ignore[arg-type]


def test_where_nothing_was_seen_the_problem_is_raised() -> None:
    with pytest.raises(PlatformError):
        LastSeen().see("q", away, lambda: "", NOW)


def test_only_so_many_are_kept_those_asked_for_last() -> None:
    views = LastSeen(most=2)
    for question in ("a", "b", "a", "c"):
        views.see(question, lambda: "1", lambda: "first", NOW)
    assert views.see("a", lambda: "1", lambda: "again", NOW).view == "first"
    assert views.see("b", lambda: "1", lambda: "again", NOW).view == "again"


def test_while_a_newer_view_is_being_made_the_last_one_is_shown_as_late() -> None:
    views, made = LastSeen(), Event()

    def slowly() -> str:
        assert made.wait(30)
        return "second"

    views.see("q", lambda: "1", lambda: "first", NOW)
    for patience in (0.01, 3_600):
        # However patient: who waited once for an answer is not held up again by the same.
        assert views.see("q", lambda: "2", slowly, LATER, patience) == Seen("first", NOW, late=True)
    made.set()
    assert views.see("q", lambda: "2", away, LATER) == Seen("second", LATER)
    assert views.see("q", lambda: "2", away, LATER, 30) == Seen("second", LATER)


def test_where_nothing_was_seen_it_is_waited_for_whatever_the_patience() -> None:
    assert LastSeen().see("q", lambda: "1", lambda: "first", NOW, patience=0) == Seen("first", NOW)


def test_what_was_forgotten_is_waited_for() -> None:
    views = LastSeen()
    views.see("q", lambda: "1", lambda: "first", NOW)
    views.forget("q")
    assert views.see("q", lambda: "1", lambda: "second", LATER, patience=0).view == "second"
