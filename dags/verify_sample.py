"""### Verify a sample.

Every night: fold random streams of the log again and compare them with the live tables, and see that every message is
accounted for. A difference fails the run; the certificate is in the folder for artefacts, and names rows and events.

- `streams`: how many streams are folded again.
- `seed`: chooses the streams; by default the number of the day, so that each night looks at others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from platform_wiring import DEFAULTS, TAGS, deadline, platform_settings


@dag(
    schedule="30 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    deadline=deadline(timedelta(hours=1)),
    default_args=DEFAULTS,
    params={
        "streams": Param(500, type="integer", minimum=1),
        "seed": Param(None, type=["null", "integer"], minimum=0),
    },
    tags=[*TAGS, "quality"],
    doc_md=__doc__,
)
def verify_sample() -> None:
    """Wire the nightly checks."""

    @task
    def sample(*, params: Any = None, dag_run: Any = None) -> dict[str, Any]:
        """Fold a sample of the log again."""
        seed = params["seed"]
        with platform_settings():
            from entrypoints.tasks import verifying

            return verifying.verify_sample(params["streams"], dag_run.run_after.toordinal() if seed is None else seed)

    @task
    def balance() -> dict[str, Any]:
        """Account for every message, and count what waits in quarantine."""
        with platform_settings():
            from entrypoints.tasks import verifying

            return verifying.balance()

    sample()
    balance()


DAG = verify_sample()
