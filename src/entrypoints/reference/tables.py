"""The page of the tables of silver and gold."""

from __future__ import annotations

import re
from importlib.resources import files

from application.projections.registry import SUBJECTS
from application.projections.table import Table
from entrypoints.reference.markdown import as_code, described, fields_table, page

_INTRO = """\
Silver holds the current rows of each stream, folded from its events; gold is selected from silver. Both can
be thrown away and built anew from the events. `first_position` and `last_position` are the positions of the
first and the last event behind a row.
"""
_TOKEN = re.compile(r"--[^\n]*|'[^']*'|[\w.]+|\S")
_DIRECTIVE = re.compile(r"^-- (comment|key): (.+)$", re.MULTILINE)


def tables_page() -> str:
    """Return the page."""
    silver = [_silver_section(each) for subject in SUBJECTS for each in subject.tables]
    gold = [_gold_section(name, text) for name, text in gold_files().items()]
    return page("Tables", _INTRO, "## silver\n", *silver, "## gold\n", *gold)


def gold_files() -> dict[str, str]:
    """Return the definitions of gold by table, in the order of their names."""
    folder = files("adapters.postgres").joinpath("gold")
    found = {each.name.removesuffix(".sql"): each for each in folder.iterdir() if each.name.endswith(".sql")}
    return {name: found[name].read_text(encoding="utf-8") for name in sorted(found)}


def selected_columns(select: str) -> list[str]:
    """Return the names of the columns that a query gives: those of its first SELECT outside parentheses."""
    columns: list[str] = []
    depth, selecting, last = 0, False, ""
    for token in _TOKEN.findall(select):
        word = token.upper()
        if token in {"(", "["}:
            depth += 1
        elif token in {")", "]"}:
            depth -= 1
        elif depth or token.startswith("--"):
            continue
        elif selecting and word in {",", "FROM"}:
            columns.append(last.rpartition(".")[2])
            if word == "FROM":
                break
        else:
            selecting = selecting or word == "SELECT"
            last = token
    return columns


def _silver_section(silver: Table) -> str:
    kind = " Rows are written once and never changed." if silver.append_only else ""
    head = f"### silver.{silver.name}\n\n{described(silver.row)}{kind}\n\nKey: {as_code(*silver.key)}\n\n"
    return head + fields_table(silver.row)


def _gold_section(name: str, text: str) -> str:
    header = dict(_DIRECTIVE.findall(text))
    key, columns = as_code(*header["key"].split(", ")), as_code(*selected_columns(text))
    return f"### gold.{name}\n\n{header['comment']}\n\nKey: {key}\n\nColumns: {columns}\n"
