"""One Airflow home for the session, in a process of its own: importing Airflow costs seconds, and changes logging."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.scheduling.airflow_home import DAGS

ROOT = DAGS.parent


class Airflow:
    """Runs DAGs to their end, one after the other."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self._log = (home / "log").open("w+")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAFLOW_")} | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "false",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(DAGS)]),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scheduling.airflow_home"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.dags = self._answer()

    def run(self, dag: str, environment: dict[str, str], **params: object) -> dict[str, Any]:
        """Run a DAG with parameters; return the states of run and tasks, what they returned, and the assets' events."""
        done: dict[str, Any] = self._ask("run", dag, params, environment)
        return done

    def late(self, dag: str, context: dict[str, Any], environment: dict[str, str]) -> list[str]:
        """Miss the deadline of a DAG; return the states of its callback."""
        states: list[str] = self._ask("late", dag, context, environment)
        return states

    def settings(self, names: list[str], environment: dict[str, str]) -> dict[str, str]:
        """Return settings as a task sees them."""
        found: dict[str, str] = self._ask("settings", None, names, environment)
        return found

    def log(self) -> str:
        """Return what was logged so far."""
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        """End the process, without the seconds that it takes to end by itself."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def _ask(self, do: str, dag: str | None, params: object, environment: dict[str, str]) -> Any:
        assert self._process.stdin is not None
        asked = {"do": do, "dag": dag, "params": params, "environment": environment}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log()[-4_000:]
        return json.loads(line)


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    with closing(Airflow(tmp_path_factory.mktemp("scheduling") / "airflow")) as airflow:
        yield airflow
