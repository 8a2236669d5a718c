"""Immutable records: frozen dataclasses with slots that are quick to make.

A frozen dataclass assigns each field through `object.__setattr__`, a call that looks the field up by name. A
record is of an open class, whose attributes may be assigned, while its `__init__` fills it. That takes a third of
the time, and events and states are what the platform makes most of.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

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
    return _quick(dataclass(frozen=True, slots=True, kw_only=True, init=False)(cls), "*, ")


@dataclass_transform(frozen_default=True)
def value(cls: type[C]) -> type[C]:
    """Make a class a frozen dataclass with slots whose fields may be given by position."""
    return _quick(dataclass(frozen=True, slots=True, init=False)(cls), "")


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
