"""Airflow as it is deployed: its four services and two Celery workers, on real PostgreSQL and Redis."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
from psycopg import sql

from deploy.services.process import free_port, run, spawn, started_at, stop
from deploy.services.registry import Running
from tests.scheduling.airflow_home import DAGS

ROOT = DAGS.parent
SECONDS = 240.0
PAUSE = 0.2
AIRFLOW = Path(sys.executable).parent / "airflow"
COMMANDS = {
    "api": ("api-server",),
    "scheduler": ("scheduler",),
    "processor": ("dag-processor",),
    "triggerer": ("triggerer",),
    "worker-1": ("celery", "worker", "--concurrency", "2", "--celery-hostname", "one@%h", "--skip-serve-logs"),
    "worker-2": ("celery", "worker", "--concurrency", "2", "--celery-hostname", "two@%h", "--skip-serve-logs"),
}


class Cluster:
    """The processes, and the API by which they are told what to do."""

    def __init__(self, folder: Path, postgres: str, redis: str, connections: dict[str, str]) -> None:
        folder.mkdir()
        self._folder = folder
        self._database = postgres
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("DATAFLOW_", "AIRFLOW"))
        } | self._settings(postgres, redis, connections)
        self._processes: dict[str, tuple[int, float]] = {}
        self._token = ""

    def start(self) -> None:
        """Start everything; return when the API answers and knows the DAGs."""
        run([AIRFLOW, "db", "migrate"], self._environment)
        for name, command in COMMANDS.items():
            pid = spawn([AIRFLOW, *command], self._folder / f"{name}.log", self._environment)
            self._processes[name] = (pid, started_at(pid) or 0.0)
        await_(self._log_in, "the API server did not answer")
        self.ask("POST", "/pools", name="dataflow_database", slots=8)
        await_(lambda: self.ask("GET", "/dags")["total_entries"] == 3, "the DAGs were not found")

    def trigger(self, dag: str, **conf: object) -> str:
        """Start a run of a DAG; return its id."""
        self.ask("PATCH", f"/dags/{dag}", is_paused=False)
        return str(self.ask("POST", f"/dags/{dag}/dagRuns", logical_date=None, conf=conf)["dag_run_id"])

    def state(self, dag: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.ask("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"])

    def end_of(self, dag: str, run_id: str) -> str:
        """Wait for the end of a run; return its state."""
        await_(lambda: self.state(dag, run_id) in {"success", "failed"}, f"{dag} did not end")
        return self.state(dag, run_id)

    def tasks(self, dag: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run."""
        found: list[dict[str, Any]] = self.ask("GET", f"/dags/{dag}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return found

    def returned(self, dag: str, run_id: str, task: str) -> Any:
        """Return what a task returned."""
        path = f"/dags/{dag}/dagRuns/{run_id}/taskInstances/{task}/xcomEntries/return_value?deserialize=true"
        return self.ask("GET", path)["value"]

    def run_out_of_time(self, run_id: str) -> None:
        """Set the deadline of a run to now, as if its hours had passed."""
        overdue = "UPDATE deadline SET deadline_time = now() FROM dag_run WHERE dagrun_id = dag_run.id AND run_id = %s"
        with psycopg.connect(self._database) as connection:
            assert connection.execute(overdue, [run_id]).rowcount == 1

    def kill(self, name: str) -> None:
        """End a process and all that it started, as a power cut would."""
        stop(*self._processes.pop(name), signal.SIGKILL)

    def close(self) -> None:
        """End what still runs."""
        for name in reversed(list(self._processes)):
            stop(*self._processes.pop(name), signal.SIGKILL)

    def ask(self, method: str, path: str, **body: object) -> Any:
        """Ask the API; return what it answers."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = Request(f"{self._url}/api/v2{path}", json.dumps(body).encode() if body else None, headers)
        request.method = method
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def _log_in(self) -> bool:
        try:
            with urlopen(f"{self._url}/auth/token", timeout=5) as answer:
                self._token = json.load(answer)["access_token"]
        except (URLError, OSError):
            return False
        return True

    def _settings(self, postgres: str, redis: str, connections: dict[str, str]) -> dict[str, str]:
        airflow = {
            "CORE__DAGS_FOLDER": str(DAGS),
            "CORE__LOAD_EXAMPLES": "false",
            "CORE__EXECUTOR": "CeleryExecutor",
            "CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
            "CORE__PARALLELISM": "8",
            "API__HOST": "127.0.0.1",
            "API__PORT": str(self._port),
            "API__WORKERS": "1",
            "API_AUTH__JWT_SECRET": uuid4().hex * 2,
            "DATABASE__SQL_ALCHEMY_CONN": postgres.replace("postgresql://", "postgresql+psycopg2://"),
            "CELERY__BROKER_URL": redis,
            "CELERY__RESULT_BACKEND": postgres.replace("postgresql://", "db+postgresql+psycopg2://"),
            "DAG_PROCESSOR__REFRESH_INTERVAL": "600",
            "SCHEDULER__USE_JOB_SCHEDULE": "false",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
            "SCHEDULER__TASK_QUEUED_TIMEOUT": "15",
            "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "2",
        }
        return {f"AIRFLOW__{name}": value for name, value in airflow.items()} | {
            "AIRFLOW_HOME": str(self._folder),
            **{f"AIRFLOW_CONN_{name.upper()}": url for name, url in connections.items()},
            "AIRFLOW_VAR_DATAFLOW_ARTEFACTS": str(self._folder / "artefacts"),
            "DATAFLOW_RETRY_SECONDS": "1",
            "C_FORCE_ROOT": "true",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(DAGS)]),
        }


def await_(condition: Callable[[], object], otherwise: str) -> None:
    """Wait for a condition, looking at it now and then: the machine is busy enough."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(PAUSE)


@contextmanager
def fresh_database(server: Running) -> Iterator[str]:
    """Give the address of a database of its own on a server that is shared."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'").format(
                sql.Identifier(name)
            )
        )
        yield f"{server.url.rpartition('/')[0]}/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
