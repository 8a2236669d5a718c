from dataclasses import FrozenInstanceError, field, fields, replace

import pytest

from domain.shared.record import record, value


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
    assert hash(made) == hash(replace(made))
    assert replace(made, size=4).size == 4
    assert repr(made) == "Derived(name='a', size=3, colour='red')"


def test_a_state_takes_its_fields_by_position() -> None:
    assert Level(4, "count") == Level(units=4, reason="count")
    assert Level(4).reason is None


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
    assert not hasattr(made, "__dict__")


def test_a_default_factory_is_refused_where_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.parts"):

        @record
        class Wrong:
            parts: list[int] = field(default_factory=list)
