"""Rows of the star schema, for people to read."""

from __future__ import annotations

from typing import Any, Protocol

from application.ports.analytics import EVERYTHING, Analytics, Selection
from application.queries.definitions import Listing


class Listings(Protocol):
    """Lists rows as a definition says; the fact must know every dimension that is filtered on."""

    def rows(self, listing: Listing, where: Selection = EVERYTHING, limit: int = 200) -> list[dict[str, Any]]:
        """Return up to `limit` rows by column, in the listing's order.

        Raises:
            AnalyticsUnavailableError: the database can't be reached, or holds no read models yet.
        """


class Star(Analytics, Listings, Protocol):
    """All that a page asks the star schema: figures, the rows behind them, and lists."""
