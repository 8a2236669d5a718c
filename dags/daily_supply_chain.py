"""### The daily run.

Every day at 02:00 UTC, for the day before: take in what the sources have, fix the position of the log that the day's
figures are made up to, bring silver and gold there, check them, and report.

- The day and its position are kept: a day that is run again, or a backfill, gives the same rows.
- `day` (a parameter, YYYY-MM-DD) runs another day than the one before.
- A check that fails as an error ends the run before the report, and tells somebody.
- The report is in the folder for artefacts, and `dataflow report --date DAY` shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from platform_wiring import BRONZE, DEFAULTS, GOLD, SILVER, TAGS, deadline, platform_settings


@dag(
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    deadline=deadline(timedelta(hours=2)),
    default_args=DEFAULTS,
    params={"day": Param(None, type=["null", "string"], format="date", description="The day to run")},
    tags=[*TAGS, "daily"],
    doc_md=__doc__,
)
def daily_supply_chain() -> None:
    """Wire the steps of a business day."""

    @task
    def business_day(*, params: Any = None, logical_date: Any = None, dag_run: Any = None) -> str:
        """Return the day before the run, or the one that was asked for."""
        moment = logical_date or dag_run.run_after
        return params["day"] or (moment - timedelta(days=1)).strftime("%Y-%m-%d")

    @task
    def find_sources() -> list[str]:
        """Return the sources that are set."""
        with platform_settings():
            from entrypoints.tasks import sources

            return sources.sources()

    @task
    def extract(source: str, day: str) -> dict[str, Any]:
        """Publish what a source has."""
        with platform_settings():
            from entrypoints.tasks import sources

            return sources.extract(source, day)

    @task(outlets=[BRONZE], trigger_rule="none_failed")
    def take_in(*, outlet_events: Any = None) -> dict[str, Any]:
        """Take in all that is in the stream."""
        with platform_settings():
            from entrypoints.tasks import sources

            done = sources.take_in()
        outlet_events[BRONZE].extra = {"position": done["position"]}
        return done

    @task
    def fix_position(day: str) -> dict[str, Any]:
        """Fix the position of the log that the day's figures are made up to."""
        with platform_settings():
            from entrypoints.tasks import days

            return days.fix(day)

    @task(outlets=[SILVER])
    def transform(before: dict[str, Any], *, outlet_events: Any = None) -> dict[str, Any]:
        """Bring the read models to the position."""
        with platform_settings():
            from entrypoints.tasks import days

            done = days.transform(before["day"])
        outlet_events[SILVER].extra = done
        return done

    @task(outlets=[GOLD])
    def load(before: dict[str, Any], *, outlet_events: Any = None) -> dict[str, Any]:
        """Digest gold at the position; it must be what it was if the day was run before."""
        with platform_settings():
            from entrypoints.tasks import days

            done = days.load(before["day"])
        outlet_events[GOLD].extra = {"day": done["day"], "position": done["position"]}
        return done

    @task
    def quality(before: dict[str, Any]) -> dict[str, Any]:
        """Check the data; an error ends the run."""
        with platform_settings():
            from entrypoints.tasks import days

            return days.check(before["day"])

    @task
    def report(before: dict[str, Any]) -> dict[str, Any]:
        """Make the day's report."""
        with platform_settings():
            from entrypoints.tasks import days

            return days.report(before["day"])

    day = business_day()
    fixed = fix_position(day)
    extract.partial(day=day).expand(source=find_sources()) >> take_in() >> fixed
    report(quality(load(transform(fixed))))


DAG = daily_supply_chain()
