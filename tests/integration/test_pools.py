"""Pools of connections."""

from __future__ import annotations

from adapters.postgres.database import open_pool, with_parameter


def test_what_a_connection_string_sets_holds_in_a_pool_too(conninfo: str) -> None:
    given = with_parameter(with_parameter(conninfo, "timezone", "Asia/Tokyo"), "role", "pg_monitor")
    with open_pool(given) as pool, pool.connection() as connection:
        assert connection.execute("SELECT current_user::text").fetchone() == ("pg_monitor",)
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
