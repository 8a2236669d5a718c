from __future__ import annotations

from functools import reduce

from domain.inventory.used_ids import NO_IDS, UsedIds


def test_every_id_added_is_contained_and_no_other():
    ids = reduce(UsedIds.adding, (f"R-{number}" for number in range(1000)), NO_IDS)
    assert all(f"R-{number}" in ids for number in range(1000))
    assert "R-1000" not in ids
    assert "R-1" not in NO_IDS


def test_adding_leaves_the_ids_before_as_they_were():
    one = NO_IDS.adding("R-1")
    one.adding("R-2")
    assert "R-2" not in one


def test_the_number_of_parts_grows_with_the_logarithm_of_the_ids():
    ids = reduce(UsedIds.adding, (f"R-{number}" for number in range(1000)), NO_IDS)
    assert len(ids.parts) <= 10
    assert sum(map(len, ids.parts)) == 1000
