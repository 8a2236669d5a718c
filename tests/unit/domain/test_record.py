import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields

import pytest

from domain.shared.record import record, replace, value


@record
class Base:
    name: str
    size: int = 3


@record
class Derived(Base):
    colour: str


@value
class Level:
    units: int
    reason: str | None = None


def test_fields_are_given_by_keyword_with_their_defaults_also_from_a_base() -> None:
    made = Derived(name="a", colour="red")
    assert (made.name, made.size, made.colour) == ("a", 3, "red")
    assert [f.name for f in fields(made)] == ["name", "size", "colour"]
    assert made == Derived(name="a", size=3, colour="red")
    assert hash(made) == hash(dataclasses.replace(made))
    assert repr(made) == "Derived(name='a', size=3, colour='red')"


def test_a_state_takes_its_fields_by_position() -> None:
    assert Level(4, "count") == Level(units=4, reason="count")
    assert Level(4).reason is None


@pytest.mark.parametrize("made", [Derived(name="a", colour="red"), Level(4, "count"), Base(name="a")])
def test_a_record_is_replaced_by_one_that_differs_in_some_fields(made: Base | Level) -> None:
    for each in fields(made):
        for changed in (None, "other"):
            other = replace(made, **{each.name: changed})  # type: ignore[arg-type]
            assert type(other) is type(made)
            assert other == dataclasses.replace(made, **{each.name: changed})  # type: ignore[arg-type]
            with pytest.raises(FrozenInstanceError):
                setattr(other, each.name, changed)
    assert replace(made) == made
    with pytest.raises(TypeError, match="weight"):
        replace(made, weight=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("arguments", [{}, {"name": "a"}, {"name": "a", "colour": "red", "weight": 1}])
def test_missing_and_unknown_fields_are_errors(arguments: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Derived(**arguments)
    with pytest.raises(TypeError):
        Derived("a", 3, "red")


def test_a_record_never_changes_and_has_no_other_attributes() -> None:
    made = Derived(name="a", colour="red")
    with pytest.raises(FrozenInstanceError):
        made.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del made.name
    assert not hasattr(made, "__dict__")


@value
class Nothing:
    pass


@pytest.mark.parametrize("same", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301
@pytest.mark.parametrize("made", [Derived(name="a", colour="red"), Level(4, "count"), Base(name="a"), Nothing()])
def test_a_copy_of_a_record_is_equal_and_never_changes(made: Base, same: Callable[[Base], Base]) -> None:
    copied = same(made)
    assert copied is not made
    assert copied == made
    assert {copied, made} == {made}
    assert repr(copied) == repr(made)
    with pytest.raises(FrozenInstanceError):
        copied.name = "b"  # type: ignore[misc]


def test_records_of_other_classes_or_fields_differ() -> None:
    assert Base(name="a") != Derived(name="a", colour="red")
    assert Base(name="a") != Base(name="a", size=4)
    assert Base(name="a") != ("a", 3)
    assert repr(Nothing()) == "Nothing()"


def test_a_default_factory_is_refused_where_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.parts"):

        @record
        class Wrong:
            parts: list[int] = field(default_factory=list)


@pytest.mark.parametrize("option", [{"repr": False}, {"compare": False}, {"hash": False}])
def test_a_field_that_would_not_count_is_refused_where_the_class_is_made(option: dict[str, bool]) -> None:
    with pytest.raises(TypeError, match=r"Wrong\.name"):

        @record
        class Wrong:
            name: str = field(**option)  # type: ignore[call-overload]


def test_a_record_may_show_itself_in_its_own_way() -> None:
    @value
    class Shown:
        name: str

        def __repr__(self) -> str:
            return f"<{self.name}>"

    assert repr(Shown("a")) == "<a>"
