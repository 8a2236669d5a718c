"""A real scheduler and two workers run the daily DAG and a rebuild of eight shards, late and with one worker killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from entrypoints import pipeline
from entrypoints.cli.context import platform
from entrypoints.settings import Settings
from tests.integration.test_services import running
from tests.scheduling.cluster import Cluster, await_, fresh_database
from tests.webhook import Webhook, webhook

pytestmark = pytest.mark.cluster
TABLES = "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname = %s"
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A platform's database with a past in its stream, not taken in yet."""
    with fresh_database(running("postgres")) as url:
        with platform(Settings(database_url=url)) as container:
            made = messages(SimulationSettings(start=datetime(2026, 1, 5, tzinfo=UTC), seed=5, orders=60, days=20))
            pipeline.publish(container, made, lambda *_: None)
        yield url


@pytest.fixture(scope="module")
def told() -> Iterator[Webhook]:
    with webhook() as heard:
        yield heard


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, database: str, told: Webhook) -> Iterator[Cluster]:
    folder: Path = tmp_path_factory.mktemp("cluster") / "airflow"
    redis = f"{running('redis').url.rpartition('/')[0]}/9"
    connections = {"dataflow_database": database, "dataflow_alert_webhook": told.url}
    with fresh_database(running("postgres")) as url, closing(Cluster(folder, url, redis, connections)) as started:
        started.start()
        yield started


def test_the_daily_run_and_a_late_rebuild_that_loses_a_worker_succeed(
    cluster: Cluster, database: str, told: Webhook
) -> None:
    day = cluster.trigger("daily_supply_chain", day="2026-01-20")
    assert cluster.end_of("daily_supply_chain", day) == "success"
    position = cluster.returned("daily_supply_chain", day, "load")["position"]
    rebuild = cluster.trigger("rebuild_projections", shards=8)
    with psycopg.connect(database) as holder:
        await_(lambda: planned(database), "the rebuild was not planned")
        tables = ", ".join(name for (name,) in holder.execute(TABLES, [f"silver_{planned(database)}"]))
        holder.execute(f"LOCK TABLE {tables}".encode())
        # Each worker has two hands: with three shards at work, both of them are.
        await_(lambda: one(database, WAITING) >= 3, "too few shards came to write")
        cluster.run_out_of_time(rebuild)
        await_(lambda: told.posted, "nobody was told that the run is late")
        cluster.kill("worker-1")
    assert cluster.end_of("rebuild_projections", rebuild) == "success"
    shards = [task for task in cluster.tasks("rebuild_projections", rebuild) if task["task_id"] == "load_shard"]
    assert len(shards) == 8
    assert max(task["try_number"] for task in shards) > 1
    assert {task["state"] for task in shards} == {"success"}
    proof = cluster.returned("rebuild_projections", rebuild, "certify")
    assert (proof["equal"], proof["position"]) == (True, position)
    assert one(database, "SELECT swapped FROM replay.certificates ORDER BY number DESC LIMIT 1") is True
    assert [each["text"] for each in told.posted] == [
        f"a run is late: dag rebuild_projections, run {rebuild}, expected within 6:00:00"
    ]


def planned(database: str) -> str | None:
    """Return the name of the build that is planned, None before."""
    found = one(database, "SELECT max(name) FROM replay.builds WHERE purpose = 'rebuild'")
    return None if found is None else str(found)


def one(database: str, query: str) -> Any:
    """Return the only value that a query gives."""
    with psycopg.connect(database, autocommit=True) as connection:
        return next(connection.execute(query.encode()))[0]
