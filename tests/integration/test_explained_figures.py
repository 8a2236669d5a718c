"""A figure and the rows shown behind it are of one moment, whatever is committed while they are read."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.postgres.analytics import PostgresAnalytics
from application.errors import InvalidRequestError
from application.queries.explain import explain_figure
from application.queries.figures import kpi_table
from domain.order.events import OrderPlaced
from tests.integration.star import Star, star
from tests.integration.story import tell_everything

LOG = tell_everything()
LAST_ORDER = max(index for index, recorded in enumerate(LOG) if isinstance(recorded.event, OrderPlaced))
BEFORE, AFTER = LOG[:LAST_ORDER], LOG[LAST_ORDER:]


class Interrupted(PostgresAnalytics):
    """Analytics before whose list of rows somebody else brings in the last order, and what came after it."""

    def __init__(self, house: Star) -> None:
        super().__init__(house._pool)
        self._house = house

    def evidence(self, *args: Any, **options: Any) -> list[Any]:
        self._house.append(AFTER)
        self._house.follow()
        return super().evidence(*args, **options)


def test_the_rows_behind_a_figure_add_up_to_it_while_events_come_in(prepared: str) -> None:
    with star(prepared, BEFORE) as house:
        before = kpi_table(house.analytics, ["net"])
        explained = explain_figure(Interrupted(house), "net", limit=10_000)
        assert sum(each.row.columns["net"] for each in explained.rows) == explained.figure
        assert len(explained.rows) == explained.total
        assert explained.figure == before.rows[0].figures["net"] != explain_figure(house.analytics, "net").figure


def test_whatever_else_an_answer_consists_of_is_of_its_moment(prepared: str) -> None:
    with star(prepared, BEFORE) as house:
        before = kpi_table(house.analytics, by="customer")
        with Interrupted(house).moment() as moment:
            explain_figure(moment, "net")
            assert kpi_table(moment, by="customer") == before
        assert kpi_table(house.analytics, by="customer") != before


def test_a_mistake_within_a_moment_ends_it_and_leaves_the_connection(prepared: str) -> None:
    with star(prepared, BEFORE) as house:
        with pytest.raises(InvalidRequestError), house.analytics.moment() as moment:
            explain_figure(moment, "nothing")
        assert explain_figure(house.analytics, "net").total > 0
