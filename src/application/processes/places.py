"""The best locations for units of a product: a stated rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple


class Share(NamedTuple):
    """Units that one location gives."""

    location_id: str
    units: int


def best_places(units: int, free: Sequence[tuple[str, int]], used: Collection[str] = ()) -> list[Share]:
    """Return which locations give how many units; fewer than asked for where all of them have fewer.

    `free` has the available units of each location, best first (nearest, then by id). One location that has all of
    the units is taken: one that the order's other lines come from (`used`), else the best. Only where none has
    enough, the units are split, over those that have most first, so that there are few parcels.
    """
    whole = [location_id for location_id, available in free if available >= units]
    if whole:
        return [Share(next((each for each in whole if each in used), whole[0]), units)]
    shares = []
    for location_id, available in sorted(free, key=lambda each: -each[1]):
        taken = min(available, units)
        if taken <= 0:
            break
        shares.append(Share(location_id, taken))
        units -= taken
    return shares
