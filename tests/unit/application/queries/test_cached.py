"""Cached figures: the same ones, asked for once, and never older than the revision they are asked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from adapters.memory.cache import MemoryCache
from application.ports.analytics import (
    EVERYTHING,
    AnalyticsUnavailableError,
    Evidence,
    Figure,
    Filter,
    Measured,
    Member,
    Period,
    Selection,
)
from application.queries.cached import cached
from application.queries.definitions import Dimension, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.figures import kpi_table
from application.queries.kpis import KPIS

NET, ORDERS, CARRIER = KPIS["net"], KPIS["orders"], DIMENSIONS["carrier"]
FIGURES: tuple[Figure, ...] = (Decimal("1265793.0395"), Decimal(3), Decimal("-0.5"), Decimal("1E+6"), 3, 10**20, None)


class Moving:
    """Analytics whose figures are their position."""

    def __init__(self) -> None:
        self.at = 1
        self.asked = 0

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        self.asked += 1
        return [Measured(Member(None, None), {kpi.name: self.at for kpi in kpis})]

    def members(self, dimension: Dimension) -> list[Member]:
        self.asked += 1
        return [Member("ups", f"UPS {self.at}"), Member(None, None)]

    def evidence(self, kpi: Kpi, where: Selection = EVERYTHING, limit: int = 100) -> list[Evidence]:
        self.asked += 1
        return []

    def position(self) -> int:
        return self.at

    def revision(self) -> str:
        return f"server.{self.at}"


@pytest.fixture
def moving() -> Moving:
    return Moving()


def test_the_same_question_is_asked_once_until_the_read_models_move(moving: Moving) -> None:
    analytics = cached(moving, MemoryCache(), moving.revision)
    for at in (1, 2):
        moving.at = at
        for _ in range(3):
            assert analytics.measure([NET]) == [Measured(Member(None, None), {"net": at})]
            assert analytics.members(CARRIER) == [Member("ups", f"UPS {at}"), Member(None, None)]
        assert moving.asked == 2 * at


def test_a_figure_is_never_older_than_the_position_shown_beside_it(moving: Moving) -> None:
    """The read models move between any two steps of a question."""

    class Hasty(Moving):
        def position(self) -> int:
            self.at += 1
            return self.at - 1

        def revision(self) -> str:
            self.at += 1
            return str(self.at - 1)

    for hasty in (moving, Hasty()):
        analytics = cached(hasty, MemoryCache(), hasty.revision)
        for _ in range(5):
            table = kpi_table(analytics, ["net"])
            figure = table.rows[0].figures["net"]
            assert isinstance(figure, int)
            assert figure >= table.position


@pytest.mark.parametrize(
    "question",
    [
        ([NET, ORDERS], None, EVERYTHING),
        ([ORDERS], None, EVERYTHING),
        ([replace(NET, expression="0")], None, EVERYTHING),
        ([replace(NET, fact=replace(NET.fact, name="other"))], None, EVERYTHING),
        ([NET], CARRIER, EVERYTHING),
        ([NET], replace(CARRIER, sources={}), EVERYTHING),
        ([NET], None, Selection((Filter(CARRIER, ("ups",)),))),
        ([NET], None, Selection((Filter(CARRIER, (None,)),))),
        ([NET], None, Selection((), Period(date(2026, 1, 1), date(2026, 1, 31)))),
    ],
)
def test_another_question_has_an_answer_of_its_own(
    moving: Moving, question: tuple[list[Kpi], Dimension | None, Selection]
) -> None:
    analytics = cached(moving, MemoryCache(), moving.revision)
    analytics.measure([NET])
    analytics.measure(*question)
    assert moving.asked == 2


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_come_back_exactly(figure: Figure) -> None:
    class Exact(Moving):
        def measure(
            self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
        ) -> list[Measured]:
            self.asked += 1
            return [Measured(Member("ü", "Ü"), {"net": figure})]

    exact = Exact()
    analytics = cached(exact, MemoryCache(), exact.revision)
    for _ in range(2):
        [row] = analytics.measure([NET])
        assert (row, type(row.figures["net"])) == (Measured(Member("ü", "Ü"), {"net": figure}), type(figure))
    assert exact.asked == 1


def test_what_has_no_exact_copy_is_not_kept(moving: Moving) -> None:
    analytics = cached(moving, MemoryCache(), moving.revision)
    for _ in range(2):
        assert analytics.evidence(NET) == []
    assert moving.asked == 2
    assert analytics.position() == 1


def test_bytes_of_somebody_else_are_passed_over(moving: Moving) -> None:
    class Foreign(MemoryCache):
        def remember(self, key: str, compute: object) -> bytes:
            return b"\x80 not ours"

    analytics = cached(moving, Foreign(), moving.revision)
    assert analytics.measure([NET]) == [Measured(Member(None, None), {"net": 1})]


def test_an_error_is_not_kept(moving: Moving) -> None:
    class Away(Moving):
        def members(self, dimension: Dimension) -> list[Member]:
            if not self.asked:
                self.asked += 1
                raise AnalyticsUnavailableError("away")
            return super().members(dimension)

    away = Away()
    analytics = cached(away, MemoryCache(), away.revision)
    with pytest.raises(AnalyticsUnavailableError):
        analytics.members(CARRIER)
    assert analytics.members(CARRIER)


def test_keys_are_short_and_say_nothing_of_the_question(moving: Moving) -> None:
    keys: list[str] = []

    class Watched(MemoryCache):
        def remember(self, key: str, compute: object) -> bytes:
            keys.append(key)
            return b"[]"

    where = Selection((Filter(CARRIER, ("a name " * 1_000,)),))
    cached(moving, Watched(), moving.revision).measure([NET], where=where)
    assert len(keys[0]) < 150
