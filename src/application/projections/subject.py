"""A subject of silver: which streams it folds, into which tables, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from application.codec import Recorded
from application.projections.table import Table

Rows = Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject of silver.

    `prefix` is the start of its stream ids (`order-`). `fold(view, recorded)` returns the view after one event; None
    is the view of a stream without events; it sets what the event says and may change the view it is
    given. `load` builds a view from the rows of a stream's tables that are not append-only, of a stream
    that has some; `rows` gives a view's rows by table: all of them, but of append-only tables just those
    that the fold added since `load`.
    """

    name: str
    prefix: str
    tables: tuple[Table, ...]
    fold: Callable[[Any, Recorded], Any]
    load: Callable[[Rows], Any]
    rows: Callable[[Any], Mapping[str, Iterable[Any]]]
