"""The deployment kit: manifests fit their schemas, and name settings, ports, verbs and graces that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import validate
from pydantic import ValidationError

from dispatcher.cli.main import VERBS
from dispatcher.settings import Settings

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
COMPOSE, DOCKERFILE = ROOT / "docker-compose.yml", ROOT / "Dockerfile"
NAMING = [*MANIFESTS, *UNITS, COMPOSE, DOCKERFILE]
NAME = re.compile(r"\bDISPATCHER_[A-Z_]*[A-Z]")
KUBERNETES = ("1.30", "1.34")
OF_COMPOSE = {"DISPATCHER_PUBLISH"}
"""Read by Compose alone: where the host publishes the API."""


def documents() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


def name_of(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


def deployments() -> list[dict[str, Any]]:
    return [one for one in documents() if one["kind"] == "Deployment"]


def settings_named() -> set[str]:
    return {f"DISPATCHER_{name.upper()}" for name in Settings.model_fields}


def environment_of(deployment: dict[str, Any]) -> dict[str, str]:
    """Variables of its container, secrets as a word in their place."""
    config: dict[str, str] = next(one["data"] for one in documents() if one["kind"] == "ConfigMap")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return config | {one["name"]: one.get("value", "secret") for one in container["env"]}


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("document", list(documents()), ids=name_of)
def test_every_manifest_fits_its_schema(document: dict[str, Any], version: str) -> None:
    validate(document, version, strict=True)


def test_every_manifest_is_in_the_kustomization() -> None:
    listed = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == [path.name for path in MANIFESTS if path.name != "kustomization.yaml"]


@pytest.mark.parametrize("path", NAMING, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    assert set(NAME.findall(path.read_text())) - settings_named() - OF_COMPOSE == set()


@pytest.mark.parametrize("deployment", deployments(), ids=name_of)
def test_processes_start_with_what_they_are_told(deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_of(deployment).items():
        monkeypatch.setenv(name, value)
    settings = Settings.model_validate({})
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (port,) = container["ports"]
    assert port["containerPort"] == (settings.port if port["name"] == "http" else settings.metrics_port)
    assert settings.drain_timeout < deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    probes = [container[name]["httpGet"] for name in container if name.endswith("Probe")]
    assert {probe["port"] for probe in probes} == {port["name"]}
    assert {probe["path"] for probe in probes} <= {"/healthz", "/readyz"}
    assert "/readyz" not in container["livenessProbe"]["httpGet"]["path"]


@pytest.mark.parametrize("deployment", deployments(), ids=name_of)
def test_no_process_may_more_than_it_needs(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (pod["enableServiceLinks"], pod["automountServiceAccountToken"]) == (False, False)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert str(pod["securityContext"]["runAsUser"]) in DOCKERFILE.read_text()
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


def test_everything_that_selects_pods_finds_some() -> None:
    labels = {one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] for one in deployments()}
    of_kind: dict[str, set[str]] = {}
    for one in documents():
        selector = one.get("spec", {}).get("podSelector") or one.get("spec", {}).get("selector") or {}
        matched = selector.get("matchLabels", selector)
        if matched:
            of_kind.setdefault(one["kind"], set()).add(matched["app.kubernetes.io/component"])
    assert of_kind.pop("Service") == {"api"}
    assert of_kind == dict.fromkeys(("Deployment", "PodDisruptionBudget", "NetworkPolicy"), labels)


def test_every_verb_is_one_of_the_command_line() -> None:
    told = [one["spec"]["template"]["spec"]["containers"][0]["args"][0] for one in deployments()]
    told += re.findall(r"^ExecStart=\S+/dispatcher (\w+)", "\n".join(path.read_text() for path in UNITS), re.MULTILINE)
    assert len(told) == 4
    assert set(told) <= {verb.name for verb in VERBS}


def test_the_image_listens_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    text = DOCKERFILE.read_text()
    for name, value in re.findall(r"(DISPATCHER_[A-Z_]+)=(\S+)", text):
        monkeypatch.setenv(name, value)
    settings = Settings.model_validate({})
    assert re.findall(r"^EXPOSE (\d+)$", text, re.MULTILINE) == [str(settings.port)]
    assert f"127.0.0.1:{settings.port}/healthz" in text
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert services["api"]["ports"][0].endswith(f":{settings.port}")
    worker = services["worker"]
    assert f":{worker['environment']['DISPATCHER_METRICS_PORT']}/healthz" in str(worker["healthcheck"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_give_processes_time_to_end(unit: Path) -> None:
    told = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
    drain_s = re.search(r"DISPATCHER_DRAIN_TIMEOUT=(\d+)", told["Environment"])
    assert int(told["TimeoutStopSec"]) > int(drain_s[1] if drain_s else 0)
    assert told["StateDirectory"] == "dispatcher"
    assert f"DISPATCHER_DATA_DIR=/var/lib/{told['StateDirectory']}" in told["Environment"]


def test_a_service_link_in_the_place_of_the_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_PORT", "tcp://10.0.0.1:8080")
    with pytest.raises(ValidationError, match="enableServiceLinks: false"):
        Settings.model_validate({})
