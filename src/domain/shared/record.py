"""Immutable records: frozen dataclasses with slots that are quick to make, and whose classes are.

A frozen dataclass assigns each field through `object.__setattr__`, a call that looks the field up by name. A
record is of an open class, whose attributes may be assigned, while its `__init__` fills it. That takes a third of
the time, and events and states are what the platform makes most of.

Of the methods of a dataclass, those alone are compiled for each class that are called for each record; the others
are closures, or every command that starts would wait for hundreds of compilations.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    # The same to a type checker, which knows this one and looks at the fields.
    from dataclasses import replace
else:

    def replace(record, /, **changes):
        """Return a record that differs in some fields: as `dataclasses.replace`, in a quarter of the time."""
        return record.__replace__(**changes)


__all__ = ["record", "replace", "value"]
C = TypeVar("C")
_SET_CLASS = vars(object)["__class__"].__set__


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[C]) -> type[C]:
    """Make a class a frozen dataclass with slots whose fields are given by keyword."""
    made = dataclass(slots=True, kw_only=True, init=False, repr=False, eq=False)(cls)
    return _quick(_frozen(made), "*, ")


@dataclass_transform(frozen_default=True)
def value(cls: type[C]) -> type[C]:
    """Make a class a frozen dataclass with slots whose fields may be given by position."""
    return _quick(_frozen(dataclass(slots=True, init=False, repr=False, eq=False)(cls)), "")


def _frozen(cls: type[C]) -> type[C]:
    """Add what a frozen dataclass has: equality and a hash by its fields, how it shows itself, and no changes."""
    names = [each.name for each in fields(cls)]  # type: ignore[arg-type]
    get = attrgetter(*names) if names else None

    def values(self: C) -> tuple[Any, ...]:
        if get is None:
            return ()
        return get(self) if len(names) > 1 else (get(self),)

    def is_equal(self: C, other: Any) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: C) -> int:
        return hash(values(self))

    def shown(self: C) -> str:
        assigned = ", ".join(f"{name}={each!r}" for name, each in zip(names, values(self), strict=True))
        return f"{self.__class__.__qualname__}({assigned})"

    def reduced(self: C) -> tuple[Any, ...]:
        return _restored, (self.__class__, names, values(self))

    methods = {"__eq__": is_equal, "__hash__": hashed, "__repr__": shown, "__reduce__": reduced}
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)
    cls.__setattr__, cls.__delattr__ = _refuse_to_set, _refuse_to_delete  # type: ignore[method-assign]
    return cls


def _refuse_to_set(self: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restored(cls: type[C], names: list[str], values: tuple[Any, ...]) -> C:
    """Make the record that was pickled or copied."""
    made = cls.__new__(cls)
    for name, each in zip(names, values, strict=True):
        object.__setattr__(made, name, each)
    return made


def _quick(cls: type[C], marker: str) -> type[C]:
    """Replace `__init__` by one of the same signature, and add `__replace__`, as Python 3.13 names it.

    The open class has the same slots, so the classes can be swapped.
    """
    body = {"__slots__": cls.__dict__["__slots__"], "__setattr__": object.__setattr__}
    scope: dict[str, Any] = {"set_class": _SET_CLASS, "opened": type(cls.__name__, cls.__bases__, body), "closed": cls}
    scope |= {"create": object.__new__, "kept": object()}
    parameters, assignments, changes, replacements = [], [], [], []
    for number, each in enumerate(fields(cls)):  # type: ignore[arg-type]
        if each.default_factory is not MISSING:
            raise TypeError(f"{cls.__name__}.{each.name}: a record has no default factories")
        if not (each.repr and each.compare and each.hash is None):
            raise TypeError(f"{cls.__name__}.{each.name}: each field of a record is compared, hashed and shown")
        scope[f"default_{number}"] = each.default
        default = "" if each.default is MISSING else f"=default_{number}"
        parameters.append(f"{each.name}{default}")
        assignments.append(f"self.{each.name} = {each.name}")
        changes.append(f"{each.name}=kept")
        replacements.append(f"made.{each.name} = self.{each.name} if {each.name} is kept else {each.name}")
    if parameters:
        init = ["set_class(self, opened)", *assignments, "self.__class__ = closed"]
        _define(cls, f"__init__(self, {marker}{', '.join(parameters)})", init, scope)
        replaced = ["made = create(opened)", *replacements, "made.__class__ = closed", "return made"]
        _define(cls, f"__replace__(self, *, {', '.join(changes)})", replaced, scope)
    return cls


def _define(cls: type, signature: str, steps: list[str], scope: dict[str, Any]) -> None:
    source = "\n    ".join([f"def {signature}:", *steps])
    exec(source, scope)  # noqa: S102 - as dataclasses does; field names are identifiers of the class itself
    name = signature.partition("(")[0]
    scope[name].__qualname__ = f"{cls.__qualname__}.{name}"
    setattr(cls, name, scope[name])
