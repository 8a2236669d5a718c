"""A pool of connections, opened when first needed."""

from __future__ import annotations

from psycopg_pool import ConnectionPool


def open_pool(conninfo: str, *, size: int = 8) -> ConnectionPool:
    """Open a pool of up to `size` connections to one database."""
    return ConnectionPool(
        conninfo, min_size=1, max_size=size, open=True, timeout=10, kwargs={"options": "-c timezone=UTC"}
    )
