"""The page of all reasons for which a message ends in quarantine."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.resources import files

import domain
from domain.shared.refusal import Refusal
from entrypoints.reference.markdown import as_code, described, page, table

_INTRO = """\
A message that the domain refuses is kept in quarantine under the name of the refusal; one that can't be
decoded, or fails unexpectedly, under one of the codes at the end of this page.
"""
_GIVING_REASONS = ("InvalidMessageError", "Reason", "RejectedRow")


def refusals_page() -> str:
    """Return the page."""
    parts = [_INTRO]
    for package, refusals in refusals_by_package().items():
        rules = [(as_code(each.__name__), described(each)) for each in refusals]
        parts.append(f"## {package.capitalize()}\n\n{table(('refusal', 'rule'), rules)}")
    codes = [(as_code(name), "; ".join(details)) for name, details in sorted(reason_codes().items())]
    parts.append(f"## Other reasons\n\n{table(('code', 'what it says'), codes)}")
    return page("Refusals and reasons for quarantine", *parts)


def refusals_by_package() -> dict[str, list[type[Refusal]]]:
    """Return every refusal that a module of the domain defines, by package, in the order of definition."""
    found: dict[str, list[type[Refusal]]] = {}
    for info in pkgutil.walk_packages(domain.__path__, "domain."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, type) and issubclass(value, Refusal) and value.__module__ == info.name:
                found.setdefault(info.name.split(".")[1], []).append(value)
    found["shared"].remove(Refusal)
    return found


def reason_codes() -> dict[str, list[str]]:
    """Return the codes that ingest and the readers of files give, each with what its messages say."""
    codes: dict[str, list[str]] = {}
    for package in ("application.ingest", "adapters.files"):
        sources = {each.name: each for each in files(package).iterdir() if each.name.endswith(".py")}
        for name in sorted(sources):
            values = vars(importlib.import_module(f"{package}.{name.removesuffix('.py')}"))
            for code, detail in _reasons(ast.parse(sources[name].read_text(encoding="utf-8")), values):
                if detail not in codes.setdefault(code, []):
                    codes[code].append(detail)
    return codes


def _reasons(module: ast.Module, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[code, detail, *_]) if name in _GIVING_REASONS:
                said = values.get(code.id) if isinstance(code, ast.Name) else getattr(code, "value", None)
                if isinstance(said, str):
                    yield said, _wording(detail, values)


def _wording(detail: ast.expr, values: Mapping[str, object]) -> str:
    """Return a text as it stands in the code, with `{name}` for a value that is put in and is no constant."""
    match detail:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_wording(part, values) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)) if isinstance(number := values.get(name), int):
            return f"{number:,}"
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case ast.Call(func=ast.Attribute(value=text_before)):
            return _wording(text_before, values)
    return ast.unparse(detail)
