"""The page of the tables of silver and gold."""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from pathlib import Path
from typing import get_type_hints

from adapters.postgres.read_model.gold_definitions import GoldDefinition, read_definitions
from application.projections.registry import SUBJECTS
from application.projections.table import Table
from entrypoints.reference.markdown import as_code, page, table, type_name

_INTRO = """\
Silver holds the current rows of each stream, folded from its events; gold is selected from silver. Both can
be thrown away and built anew from the events. `first_position` and `last_position` are the positions of the
first and the last event behind a row.
"""
_TOKEN = re.compile(r"--[^\n]*|'[^']*'|[\w.]+|\S")


def tables_page() -> str:
    """Return the page."""
    silver = [_silver_section(each) for subject in SUBJECTS for each in subject.tables]
    gold = [_gold_section(each) for each in gold_definitions()]
    return page("Tables", _INTRO, "## silver\n", *silver, "## gold\n", *gold)


def gold_definitions() -> tuple[GoldDefinition, ...]:
    """Return the definitions of gold, in the order of their names."""
    with as_file(files("adapters.postgres").joinpath("gold")) as folder:
        return read_definitions(Path(folder), {subject.name for subject in SUBJECTS})


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
    hints = get_type_hints(silver.row)
    rows = [(as_code(name), type_name(hints[name]), silver.comments.get(name, "")) for name in silver.columns]
    head = f"### silver.{silver.name}\n\n{silver.comment}{kind}\n\nKey: {as_code(*silver.key)}\n\n"
    return head + table(("column", "type", "meaning"), rows)


def _gold_section(gold: GoldDefinition) -> str:
    kind = "" if gold.materialized else " A view."
    rows = [
        (as_code(name), _meaning(gold, name), "" if name not in gold.references else as_code(gold.references[name]))
        for name in gold.columns or selected_columns(gold.select)
    ]
    head = f"### gold.{gold.name}\n\n{gold.comment}{kind}\n\nKey: {as_code(*gold.key)}\n\n"
    return head + table(("column", "meaning", "key of"), rows)


def _meaning(gold: GoldDefinition, name: str) -> str:
    column = gold.columns.get(name)
    if column is None:
        return ""
    return column.comment if column.required else f"{column.comment}; or null"
