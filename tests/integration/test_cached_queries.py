"""Figures through Redis, over a real database: equal, asked for once, and never those of other read models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import ConnectionPool

import adapters.postgres
from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.database import open_pool
from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.revision import PostgresRevision
from adapters.postgres.server import EmbeddedPostgres
from adapters.redis.cache import RedisCache
from application.ports.analytics import Analytics, AnalyticsUnavailableError
from application.projections.registry import SUBJECTS
from application.queries.cached import cached
from application.queries.figures import kpi_table
from tests.integration.story import tell_everything
from tests.redis_server import fresh_cache

GOLD = Path(adapters.postgres.__file__).parent / "gold"
LOG = tell_everything()
HALF = LOG[: len(LOG) // 2]


@pytest.fixture
def read_model(prepared: str) -> Iterator[PostgresReadModel]:
    model = PostgresReadModel(prepared, SUBJECTS, GOLD)
    model.create()
    model.apply(HALF, 0)
    yield model
    model.close()


@pytest.fixture
def pool(prepared: str, read_model: PostgresReadModel) -> Iterator[ConnectionPool]:
    with open_pool(prepared, size=2) as pool:
        yield pool


@pytest.fixture
def cache() -> Iterator[RedisCache]:
    with fresh_cache() as cache:
        yield cache


@pytest.fixture
def analytics(pool: ConnectionPool, cache: RedisCache) -> Analytics:
    return cached(PostgresAnalytics(pool), cache, PostgresRevision(pool))


def test_cached_figures_equal_those_of_the_database_at_every_position(
    analytics: Analytics, pool: ConnectionPool, read_model: PostgresReadModel
) -> None:
    plain = PostgresAnalytics(pool)
    for _ in range(2):
        for by in (None, "carrier", "category", "month"):
            assert kpi_table(analytics, by=by) == kpi_table(plain, by=by) == kpi_table(analytics, by=by)
        if read_model.position() == HALF[-1].position:
            read_model.apply(LOG[len(HALF) :], HALF[-1].position)
    assert read_model.position() == LOG[-1].position


def test_what_was_measured_is_not_asked_for_again(analytics: Analytics, pool: ConnectionPool) -> None:
    before = kpi_table(analytics, ["orders", "net"])
    with pool.connection() as connection:
        connection.execute("TRUNCATE gold.fact_order_line, gold.fact_order")
    assert kpi_table(analytics, ["orders", "net"]) == before
    assert kpi_table(analytics, ["orders"]).rows[0].figures == {"orders": 0}


def test_a_rebuild_at_the_same_position_has_figures_of_its_own(
    analytics: Analytics, pool: ConnectionPool, read_model: PostgresReadModel
) -> None:
    before = kpi_table(analytics, ["orders"])
    with pool.connection() as connection:
        for schema in ("silver", "gold"):
            connection.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}_old")
            connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute("CREATE TABLE gold.fact_order_line AS SELECT * FROM gold_old.fact_order_line LIMIT 0")
        connection.execute("CREATE TABLE gold.fact_order AS SELECT * FROM gold_old.fact_order LIMIT 0")
    after = kpi_table(analytics, ["orders"])
    assert before.position == after.position
    assert before.rows[0].figures != after.rows[0].figures == {"orders": 0}


def test_databases_and_schemas_do_not_share_figures(pool: ConnectionPool, postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE beside TEMPLATE migrated")
        try:
            with open_pool(postgres.conninfo("beside"), size=1) as beside:
                others = PostgresRevision(beside)(), PostgresRevision(pool, "silver")()
            assert len({PostgresRevision(pool)(), *others}) == 3
        finally:
            connection.execute("DROP DATABASE beside WITH (FORCE)")


def test_a_role_without_rights_of_its_own_may_ask_for_the_revision(prepared: str, pool: ConnectionPool) -> None:
    with psycopg.connect(prepared) as connection:
        connection.execute("CREATE ROLE reading")
        connection.execute("GRANT USAGE ON SCHEMA events TO reading")
        connection.execute("GRANT SELECT ON events.notification_tracking TO reading")
        connection.execute("SET ROLE reading")
        assert connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
        assert connection.execute("SELECT timeline_id FROM pg_control_checkpoint()").fetchone()
        connection.rollback()


def test_a_database_that_is_away_or_empty_is_said(postgres: EmbeddedPostgres) -> None:
    nobody = ConnectionPool("host=127.0.0.1 port=1", min_size=0, max_size=1, timeout=0.2, open=True)
    with closing(nobody), pytest.raises(AnalyticsUnavailableError, match="does not answer"):
        PostgresRevision(nobody)()
    with open_pool(postgres.conninfo(), size=1) as empty, pytest.raises(AnalyticsUnavailableError, match="no read"):
        PostgresRevision(empty)()
