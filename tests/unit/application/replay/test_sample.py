"""Samples of the log: which positions, and how rows are compared."""

from __future__ import annotations

from random import Random

from application.replay.certificate import MAX_DIFFERENCES, Difference
from application.replay.sample import compare_rows, draw_positions


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311


def test_positions_are_within_the_log_differ_and_follow_the_seed() -> None:
    drawn = draw_positions(chance(1), 1_000_000_000, 50)
    assert len(set(drawn)) == 50
    assert 1 <= min(drawn) <= max(drawn) <= 1_000_000_000
    assert drawn == draw_positions(chance(1), 1_000_000_000, 50) != draw_positions(chance(2), 1_000_000_000, 50)


def test_a_short_log_is_drawn_whole_and_an_empty_one_not_at_all() -> None:
    assert all(draw_positions(chance(seed), 3, 50) == [1, 2, 3] for seed in range(20))
    assert draw_positions(chance(1), 0, 50) == []


def test_rows_are_compared_by_key_in_any_order() -> None:
    rows = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
    table = compare_rows("silver.t", ("id",), rows, rows[::-1])
    assert (table.equal, table.rows_live, table.rows_rebuilt, table.differences) == (True, 2, 2, ())


def test_changed_missing_and_added_rows_are_named_and_those_beyond_counted() -> None:
    live = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
    table = compare_rows("silver.t", ("id",), live, [{"id": "a", "n": 3}, {"id": "c", "n": 4}])
    assert not table.equal
    assert table.differences == (
        Difference({"id": "a"}, {"id": "a", "n": 1}, {"id": "a", "n": 3}),
        Difference({"id": "b"}, {"id": "b", "n": 2}, None),
        Difference({"id": "c"}, None, {"id": "c", "n": 4}),
    )
    many = compare_rows("silver.t", ("id",), [{"id": n} for n in range(100)], [])
    assert (many.differing, len(many.differences)) == (100, MAX_DIFFERENCES)


def test_a_row_that_is_there_twice_is_a_difference() -> None:
    row = {"id": "a", "n": 1}
    assert not compare_rows("silver.t", ("id",), [row], [row, row]).equal
