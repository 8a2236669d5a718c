"""A sample of the log, folded again: which events to begin from, and whether rows are as they should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from application.replay.certificate import MAX_DIFFERENCES, Difference, TableCertificate

Row = Mapping[str, Any]
ROUNDS = 10
"""How often more positions are drawn where several fell into one stream."""


def draw_positions(chance: Random, upto: int, count: int) -> list[int]:
    """Return positions from 1 to `upto`, each as likely as any other; at most `count`, no two alike."""
    return sorted(chance.sample(range(1, upto + 1), min(count, upto)))


def compare_rows(table: str, key: Sequence[str], live: Iterable[Row], folded: Iterable[Row]) -> TableCertificate:
    """Compare the live rows of some streams or scopes with what they should be, by their keys."""
    left, right = list(live), list(folded)
    by_key_left, by_key_right = ({tuple(row[name] for name in key): row for row in side} for side in (left, right))
    differing = [
        values
        for values in dict.fromkeys((*by_key_left, *by_key_right))
        if by_key_left.get(values) != by_key_right.get(values)
    ]
    named = tuple(
        Difference(dict(zip(key, values, strict=True)), by_key_left.get(values), by_key_right.get(values))
        for values in sorted(differing, key=repr)[:MAX_DIFFERENCES]
    )
    equal = len(left) == len(right) and not differing
    return TableCertificate(
        table, len(left), len(right), None, None, equal, differing=len(differing), differences=named
    )
