"""What tables and views a build made, as it noted them in `replay.builds`: they go under no other name than these."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection

from adapters.postgres.read_model.gold_definitions import GoldDefinition

LIVE_BUILD = "live"
"""The row of the build that is in silver and gold."""


def names(silver: Iterable[str], gold: Iterable[GoldDefinition]) -> list[str]:
    """Return the tables and views of a build, as `silver.<name>` or `gold.<name>` whatever its schemas are called."""
    tables = [f"silver.{name}" for name in silver]
    for definition in gold:
        tables.append(f"gold.{definition.name}")
        if definition.materialized:
            tables.append(f"silver.{definition.name}_source")
    return tables


def made_by(conn: Connection, name: str) -> list[str] | None:
    """Return the tables and views that a build made, None where it is of a version that did not note them."""
    row = conn.execute("SELECT made FROM replay.builds WHERE name = %s", [name]).fetchone()
    return None if row is None else row[0]
