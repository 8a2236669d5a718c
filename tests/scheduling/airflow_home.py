"""A process with an Airflow home of its own: imports the DAGs once, and does with them what it is asked, line by line.

Each line of its input is JSON: {"do": "run", "dag": ..., "params": {...}, "environment": {...}}, or another one of
`ASKED`; it answers with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

DAGS = Path(__file__).resolve().parents[2] / "dags"
NAMES = ("daily_supply_chain", "rebuild_projections", "verify_sample")
PACKAGES = {"domain", "application", "adapters", "entrypoints"}


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Airflow prints belongs to the log
    from airflow import settings
    from airflow.sdk import Param, dag, task  # noqa: F401
    from airflow.utils.db import initdb

    initdb()
    settings.configure_orm()
    sys.path.insert(0, str(DAGS))
    found = imported()
    say(answers, {name: describe(each["dag"]) | each["import"] for name, each in found.items()})
    for line in sys.stdin:
        asked = json.loads(line)
        before = dict(os.environ)
        os.environ.update(asked["environment"])
        say(answers, ASKED[asked["do"]](found.get(asked["dag"], {}).get("dag"), asked["params"]))
        os.environ.clear()
        os.environ.update(before)


def imported() -> dict[str, Any]:
    """Import each DAG file with all that it imports beside Airflow; any warning is an error."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in NAMES:
            sys.modules.pop("platform_wiring", None)
            started, before = time.process_time(), set(sys.modules)
            module = __import__(name)
            took, new = time.process_time() - started, {each.partition(".")[0] for each in {*sys.modules} - before}
            found[name] = {"dag": module.DAG, "import": {"seconds": took, "platform": sorted(new & PACKAGES)}}
    return found


def describe(dag: Any) -> dict[str, Any]:
    """Return what can be told of a DAG: its edges, its schedule, and what its tasks promise."""
    edges = sorted([task.task_id, after] for task in dag.tasks for after in task.downstream_task_ids)
    tasks = {
        task.task_id: {
            "retries": task.retries,
            "backs_off": bool(task.retry_exponential_backoff),
            "time_out": task.execution_timeout is not None,
            "pool": task.pool,
            "owner": task.owner,
            "alerts": bool(task.on_failure_callback),
            "outlets": [outlet.uri for outlet in task.outlets],
            "mapped": task.is_mapped,
        }
        for task in dag.tasks
    }
    return {
        "edges": edges,
        "tasks": tasks,
        "schedule": dag.schedule,
        "tags": sorted(dag.tags),
        "docs": dag.doc_md,
        "deadline": str(dag.deadline.interval if not isinstance(dag.deadline, list) else dag.deadline[0].interval),
    }


def run(dag: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Run a DAG to its end; return the states of run and tasks, what they returned, and the assets' events."""
    from airflow.models.asset import AssetEvent
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    # In Airflow 3.3.2, dag.test() can't read the deadline that it serialized itself (apache/airflow#73428).
    deadline, dag.deadline = dag.deadline, None
    done = dag.test(run_conf=params, logical_date=None)
    dag.deadline = deadline
    with create_session() as session:
        xcoms = session.scalars(
            select(XComModel).where(XComModel.run_id == done.run_id, XComModel.key == "return_value")
        ).all()
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == done.run_id)).all()
        return {
            "state": str(done.state),
            "tasks": [
                [each.task_id, each.map_index, str(each.state)] for each in done.get_task_instances(session=session)
            ],
            "returned": {f"{each.task_id}.{each.map_index}": XComModel.deserialize_value(each) for each in xcoms},
            "assets": {event.uri: event.extra for event in events},
        }


def late(dag: Any, context: dict[str, Any]) -> list[str]:
    """Do what the triggerer does when a run of the DAG missed its deadline; return the states that it tells of."""
    from airflow.triggers.callback import CallbackTrigger

    callback = dag.deadline[0].callback
    trigger = CallbackTrigger(callback.path, callback.kwargs | {"context": context})

    async def states() -> list[str]:
        return [str(event.payload["state"]) async for event in trigger.run()]

    return asyncio.run(states())


def settings_of(_dag: Any, names: list[str]) -> dict[str, str]:
    """Return settings as a task sees them."""
    from platform_wiring import platform_settings

    with platform_settings():
        return {name: os.environ[name] for name in names}


ASKED: dict[str, Callable[[Any, Any], Any]] = {"run": run, "late": late, "settings": settings_of}


def say(answers: Any, what: object) -> None:
    answers.write(json.dumps(what, default=str) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
