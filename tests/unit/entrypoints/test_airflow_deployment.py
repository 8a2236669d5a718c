"""Compose and Kubernetes run Airflow alike, in an image that has what each executor needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SETTINGS = (ROOT / "deploy" / "kubernetes" / "settings.yaml").read_text()


def compose() -> dict[str, Any]:
    """The services of the stack that are Airflow's."""
    stack = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return {name: service for name, service in stack["services"].items() if name.startswith("airflow-")}


def kubernetes() -> dict[str, str]:
    """Airflow's settings on Kubernetes, those in the secret without their values."""
    (found,) = (each["data"] for each in yaml.safe_load_all(SETTINGS) if each["metadata"]["name"] == "airflow")
    secret = "\n".join(line for line in SETTINGS.splitlines() if line.startswith("#"))
    return dict.fromkeys(re.findall(r"AIRFLOW__\w+", secret), "") | found


def test_every_service_of_airflow_is_there_on_both() -> None:
    manifests = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "airflow.yaml").read_text())
    deployed = {each["metadata"]["name"] for each in manifests if each["kind"] == "Deployment"}
    assert deployed == compose().keys()
    assert {name.removeprefix("airflow-") for name in deployed} == {
        "api",
        "processor",
        "scheduler",
        "triggerer",
        "worker",
    }


def test_settings_are_the_same_on_both_and_local_by_default() -> None:
    own = {name for name in kubernetes() if name.startswith(("AIRFLOW__KUBERNETES_EXECUTOR__", "DATAFLOW_"))}
    for service in compose().values():
        settings = service["environment"]
        assert {name for name in settings if name.startswith("AIRFLOW")} == kubernetes().keys() - own
        assert settings["AIRFLOW__CORE__EXECUTOR"] == "${AIRFLOW_EXECUTOR:-LocalExecutor}"
    assert kubernetes()["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_the_image_has_what_the_executors_need_and_finds_the_dags_in_every_service() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (in_image,) = re.findall(r"^ARG EXTRAS=(.+)$", DOCKERFILE, re.MULTILINE)
    assert {"airflow", "redis"} <= set(in_image.split(","))
    assert "apache-airflow-providers-celery" in extras["airflow"]
    assert "apache-airflow-providers-cncf-kubernetes" in extras["airflow-kubernetes"]
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {*extras["airflow"], *extras["airflow-kubernetes"]} <= pinned
    assert f"PYTHONPATH={kubernetes()['AIRFLOW__CORE__DAGS_FOLDER']}" in DOCKERFILE
