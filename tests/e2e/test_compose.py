"""The compose file keeps its promises: durable Redis, nothing but the API published, no secret in the file."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, cast

import pytest
import redis
import yaml

from dispatcher.embedded import server_binary
from dispatcher.settings import Settings
from tests.programs import Program
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", ["redis", "api", "worker"])
def test_service_is_checked_and_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["restart"] == "unless-stopped"


def test_only_the_api_is_published_and_only_on_loopback() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api"}
    assert "127.0.0.1:8080" in SERVICES["api"]["ports"][0]
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert SERVICES["redis"]["networks"] == ["store"]


def test_secrets_come_from_the_environment_or_nothing_starts() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if re.search("SECRET|AUTH|REDIS_URL", name):
                assert ":?" in value, name


def test_every_variable_is_a_setting() -> None:
    known = {f"DISPATCHER_{name.upper()}" for name in Settings.model_fields}
    for name in ("api", "worker"):
        assert SERVICES[name]["environment"].keys() <= known


def test_containers_may_drain_before_they_are_killed() -> None:
    drain_s = float(SERVICES["worker"]["environment"]["DISPATCHER_DRAIN_TIMEOUT"])
    assert float(SERVICES["worker"]["stop_grace_period"].rstrip("s")) > drain_s + 10


async def test_command_of_redis_starts_a_durable_server(tmp_path: Path) -> None:
    shell, option, script = SERVICES["redis"]["command"]
    script = script.replace("$$", "$").replace("valkey-server", shlex.quote(server_binary()))
    script = script.replace("--dir /data", f"--dir {tmp_path} --port 0 --unixsocket {tmp_path}/s")
    settings = {"REDISCLI_AUTH": "pw", "MAXMEMORY": "100mb"}
    async with Program(tmp_path, [shell, option, script], settings):
        with redis.Redis(unix_socket_path=f"{tmp_path}/s", password="pw") as client:
            found = until_answered(client)
    expected = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "maxmemory": "104857600",
    }
    assert found.items() >= expected.items()


def until_answered(client: redis.Redis) -> dict[str, str]:
    return wait_until(lambda: cast("dict[str, str]", client.config_get("*")), despite=redis.ConnectionError)


def test_image_runs_as_an_ordinary_user_with_locked_dependencies() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    final = dockerfile.rpartition("\nFROM ")[2]
    assert "USER dispatcher" in final
    assert "HEALTHCHECK" in final
    assert "pip install --require-hashes -r requirements/runtime.txt" in dockerfile
    assert "pip install --no-deps --no-build-isolation ." in dockerfile


def test_image_holds_nothing_that_builds() -> None:
    build = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[0]
    (removed,) = re.findall(r"pip uninstall --yes (.+)", build)
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements/runtime.txt").read_text(), re.MULTILINE)
    only_for_builds = {"hatchling", "editables", "trove-classifiers", "pathspec", "pluggy"}
    assert only_for_builds <= set(locked)
    assert set(removed.split()) == {*only_for_builds, "setuptools", "pip"}
