from application.processes.places import best_places


def test_one_location_that_has_all_of_it_is_taken_the_first_one_first() -> None:
    assert best_places(5, [("near", 4), ("far", 5), ("farther", 90)]) == [("far", 5)]


def test_a_location_that_sends_other_lines_of_the_order_comes_before_a_nearer_one() -> None:
    assert best_places(5, [("near", 9), ("far", 9)], used={"far"}) == [("far", 5)]


def test_units_are_split_only_where_no_location_has_enough_those_with_most_first() -> None:
    assert best_places(10, [("a", 3), ("b", 6), ("c", 3)]) == [("b", 6), ("a", 3), ("c", 1)]


def test_where_all_together_have_too_few_the_rest_is_left() -> None:
    assert best_places(10, [("a", 3), ("b", 0), ("c", -2)]) == [("a", 3)]
    assert best_places(10, []) == []
