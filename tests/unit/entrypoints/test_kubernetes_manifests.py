"""The manifests: bounded, without rights they don't need, and with settings that the platform reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from entrypoints import page_settings
from entrypoints.settings import Settings

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "kubernetes"


def objects() -> dict[tuple[str, str], Any]:
    """Every object of the manifests, by kind and name."""
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(file.name for file in FOLDER.iterdir())
    found = [each for name in listed for each in yaml.safe_load_all((FOLDER / name).read_text())]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def pods() -> Iterator[Any]:
    """The specification of every pod, that of a task included."""
    for (kind, name), each in objects().items():
        if kind == "Deployment":
            assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]
            yield each["spec"]["template"]["spec"]
        if name == "task-template":
            yield yaml.safe_load(each["data"]["task.yaml"])["spec"]


def test_containers_are_bounded_and_can_do_little() -> None:
    specs = list(pods())
    assert len(specs) == 10
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        volumes = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            assert {"memory"} == container["resources"]["limits"].keys()
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_what_pods_refer_to_is_there() -> None:
    found = objects()
    for spec in pods():
        for container in [*spec["containers"], *spec.get("initContainers", ())]:
            names = [each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each]
            assert all(("ConfigMap", name) in found for name in names)
        for volume in spec["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in found


def test_settings_are_those_of_the_platform_and_hold_no_secret() -> None:
    known = {f"DATAFLOW_{field.name.upper()}" for field in fields(Settings)}
    known |= set(re.findall(r"DATAFLOW_\w+", Path(page_settings.__file__).read_text()))
    for (kind, name), each in objects().items():
        if kind == "ConfigMap" and name != "task-template":
            assert {setting for setting in each["data"] if setting.startswith("DATAFLOW_")} <= known
            assert not [setting for setting in each["data"] if "PASSWORD" in setting or "SECRET" in setting]
