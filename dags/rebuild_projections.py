"""### Rebuild silver and gold from the log.

Weekly, and on demand: plan a build aside, load its shards in parallel, catch up with the live tables, certify, and swap
in. A failed certificate fails the run and leaves the live tables as they are; it is in the folder for artefacts, and
`dataflow certificates show` shows it. Live tables that are far behind the log, and that nobody follows, are compared
where they stand and replaced up to its end, in one task, since nobody may follow meanwhile.

- `shards`: into how many parts the log is cut; each is a task, on whatever worker is free.
- `as_of` and `into`: build the star as it was known at a time or position, and keep it under a name, without a swap.
- `accept_changes`: swap in tables that differ, because a projection was changed on purpose.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from platform_wiring import DEFAULTS, GOLD, SILVER, TAGS, deadline, platform_settings


def say_moved(done: dict[str, Any], outlet_events: Any) -> dict[str, Any]:
    """Let both assets say how far they are."""
    for asset in (SILVER, GOLD):
        outlet_events[asset].extra = {"position": done["position"]}
    return done


@dag(
    schedule="0 4 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    deadline=deadline(timedelta(hours=6)),
    default_args=DEFAULTS,
    params={
        "shards": Param(8, type="integer", minimum=1, maximum=500),
        "as_of": Param(None, type=["null", "string"], description="A time with its offset, or a position"),
        "into": Param(None, type=["null", "string"], description="The name to keep it under"),
        "accept_changes": Param(False, type="boolean"),
    },
    tags=[*TAGS, "rebuild"],
    doc_md=__doc__,
)
def rebuild_projections() -> None:
    """Wire the steps of a rebuild."""

    @task.branch
    def choose(*, params: Any = None) -> str:
        """Say which way the rebuild goes."""
        with platform_settings():
            from entrypoints.tasks import rebuilding

            return rebuilding.choose(params["as_of"])

    @task(outlets=[SILVER, GOLD], execution_timeout=timedelta(hours=6))
    def rebuild_onward(*, params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        """Compare live tables that are far behind the log where they stand, and build on to its end."""
        with platform_settings():
            from entrypoints.tasks import rebuilding

            done = rebuilding.rebuild_onward(params["shards"], params["accept_changes"])
        return say_moved(done, outlet_events)

    @task
    def plan(*, params: Any = None) -> dict[str, Any]:
        """Cut the log into shards."""
        with platform_settings():
            from entrypoints.tasks import rebuilding

            return rebuilding.plan(params["shards"], params["as_of"], params["into"])

    @task
    def shards_of(planned: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the shards of the plan."""
        return planned["shards"]

    @task(execution_timeout=timedelta(hours=3))
    def load_shard(shard: dict[str, Any]) -> dict[str, Any]:
        """Load a shard into the silver tables of the build; one whose worker died is loaded again."""
        with platform_settings():
            from entrypoints.tasks import rebuilding

            return rebuilding.load_shard(shard)

    @task(execution_timeout=timedelta(hours=3))
    def catch_up(planned: dict[str, Any]) -> dict[str, Any]:
        """Select gold, and catch up with the live tables."""
        with platform_settings():
            from entrypoints.tasks import rebuilding

            return rebuilding.finish(planned["name"])

    @task
    def certify(finished: dict[str, Any], *, params: Any = None) -> dict[str, Any]:
        """Compare the build with the live tables; one that is kept as of some time stands for itself."""
        if params["as_of"]:
            raise AirflowSkipException("a build as of some time is kept beside the live tables")
        with platform_settings():
            from entrypoints.tasks import rebuilding

            return rebuilding.certify(finished["build"], params["accept_changes"])

    @task(outlets=[SILVER, GOLD])
    def swap(certified: dict[str, Any], *, outlet_events: Any = None) -> dict[str, Any]:
        """Put the build in place of the live tables."""
        with platform_settings():
            from entrypoints.tasks import rebuilding

            done = rebuilding.put_in_place(certified["build"], certified["certificate"])
        return say_moved(done, outlet_events)

    planned = plan()
    choose() >> [planned, rebuild_onward()]
    finished = catch_up(planned)
    load_shard.expand(shard=shards_of(planned)) >> finished
    swap(certify(finished))


DAG = rebuild_projections()
