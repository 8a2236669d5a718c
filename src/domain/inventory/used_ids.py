"""A set of ids that only grows, immutable, and cheap to add to however many it holds."""

from __future__ import annotations

from domain.shared.record import value


@value
class UsedIds:
    """Ids used so far, in parts that at least halve in size from first to last.

    Adding merges the parts that have become too small, as a binary counter carries: O(log n) amortised,
    where a copy of one large set would take O(n) for every id.
    """

    parts: tuple[frozenset[str], ...] = ()

    def __contains__(self, used_id: str) -> bool:
        return any(used_id in part for part in self.parts)

    def adding(self, used_id: str) -> UsedIds:
        """Return these ids and one more."""
        parts = self.parts
        merged = frozenset((used_id,))
        while parts and len(parts[-1]) < 2 * len(merged):
            merged |= parts[-1]
            parts = parts[:-1]
        return UsedIds((*parts, merged))


NO_IDS = UsedIds()
