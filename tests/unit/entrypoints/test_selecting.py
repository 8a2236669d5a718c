"""Filters as the command line takes them."""

import pytest
from click import BadParameter

from application.ports.analytics import Member
from application.queries.definitions import Dimension
from entrypoints.cli.selecting import members_of

SMITHS = [Member("1", "Mary Smith"), Member("2", "Mary Smith"), Member("3", "2"), Member(None, None)]


class Smiths:
    """Analytics that know the members of a dimension, and nothing else."""

    def members(self, _: Dimension) -> list[Member]:
        return SMITHS


def chosen(*conditions: str) -> dict[str, list[str | None]]:
    return members_of(conditions, Smiths())  # type: ignore[arg-type]


def test_a_member_is_given_by_key_or_by_a_name_that_is_its_own() -> None:
    assert chosen("customer=1", "customer=") == {"customer": ["1", None]}
    assert chosen("customer=2") == {"customer": ["2"]}, "a key goes before a name"


def test_a_name_of_several_is_refused_with_their_keys() -> None:
    with pytest.raises(BadParameter, match="2 of customer have the name 'Mary Smith'; choose by key: 1, 2"):
        chosen("customer=Mary Smith")


def test_an_unknown_member_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadParameter, match=r"no customer 'Bob'; there are 1 \(Mary Smith\), 2 \(Mary Smith\), 3 \(2\)"):
        chosen("customer=Bob")
