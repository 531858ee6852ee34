"""Variables that look like settings: misspelt ones stop a server, those of Kubernetes do not."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.environment import hint_on_kubernetes, misspelt, refuse_misspelt, remarks
from dispatcher.cli.local.local_secrets import with_local_secrets
from dispatcher.cli.processes.dev import welcome
from dispatcher.cli.processes.serve import serve
from dispatcher.cli.processes.worker import worker
from dispatcher.errors import ConfigurationError
from dispatcher.settings import Settings

SERVICE = {
    "DISPATCHER_SERVICE_HOST": "10.0.0.1",
    "DISPATCHER_SERVICE_PORT": "8080",
    "DISPATCHER_SERVICE_PORT_HTTP": "8080",
    "DISPATCHER_PORT": "tcp://10.0.0.1:8080",
    "DISPATCHER_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "DISPATCHER_PORT_8080_TCP_PROTO": "tcp",
    "DISPATCHER_PORT_53_UDP_ADDR": "10.0.0.1",
    "DISPATCHER_METRICS_PORT": "tcp://10.0.0.2:9100",
    "DISPATCHER_API_PORT": "udp://10.0.0.3:80",
    "DISPATCHER_API_SERVICE_HOST": "10.0.0.3",
}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DISPATCHER_REDIS_URI", "DISPATCHER_REDIS_URL"),
        ("DISPATCHER_SECRET_KEY", "DISPATCHER_SECRET_KEYS"),
        ("DISPATCHER_ALOW_NETWORKS", "DISPATCHER_ALLOW_NETWORKS"),
        ("dispatcher_retention_day", "DISPATCHER_RETENTION_DAYS"),
        ("DISPATCHER_REQUIREHTTPS", "DISPATCHER_REQUIRE_HTTPS"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_one_that_is_meant(name: str, meant: str) -> None:
    (told,) = misspelt({name: "s3cr3t", "PATH": "x"})
    assert told == f"{name} is no setting: did you mean {meant}?"
    with pytest.raises(ConfigurationError, match=meant):
        refuse_misspelt({name: "s3cr3t"})


def test_what_is_like_no_setting_is_told_without_a_guess() -> None:
    assert misspelt({"DISPATCHER_ZZZ": "1"}) == ["DISPATCHER_ZZZ is no setting; take it away."]


def test_settings_and_the_projects_own_variables_are_no_mistakes() -> None:
    known = {f"DISPATCHER_{name.upper()}": "" for name in Settings.model_fields}
    own = {"DISPATCHER_URL": "", "DISPATCHER_PUBLISH": "", "DISPATCHER_TEST_FULL": "1", "_DISPATCHER_COMPLETE": ""}
    assert remarks(known | own | {"dispatcher_port": "1"}) == []


@pytest.mark.parametrize("start", [lambda: serve(None, None), lambda: worker(1, False)])
def test_a_misspelt_variable_stops_a_server(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_RETENTION_DAY", "3")
    with pytest.raises(ConfigurationError, match="did you mean DISPATCHER_RETENTION_DAYS"):
        start()


def test_what_kubernetes_injects_is_no_setting_and_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    assert misspelt(SERVICE) == []
    hint = hint_on_kubernetes(SERVICE)
    assert hint is not None
    assert "enableServiceLinks" in hint
    assert hint_on_kubernetes({"DISPATCHER_PORT": "8080"}) is None
    numbers = {"DISPATCHER_PORT": "8081", "DISPATCHER_METRICS_PORT": "9101"}
    for name, value in (SERVICE | numbers).items():
        monkeypatch.setenv(name, value)
    assert (load_settings().port, load_settings().metrics_port) == (8081, 9101)
    for name in numbers:
        monkeypatch.setenv(name, SERVICE[name])
        with pytest.raises(ConfigurationError, match=f"{name}: .*Kubernetes.*enableServiceLinks"):
            load_settings()
        monkeypatch.setenv(name, "1")


def test_an_empty_list_of_networks_means_none_in_dev_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DISPATCHER_ALLOW_NETWORKS", raising=False)
    assert IPv4Network("127.0.0.0/8") in with_local_secrets(load_settings()).allow_networks
    monkeypatch.setenv("DISPATCHER_ALLOW_NETWORKS", "")
    assert with_local_secrets(load_settings()).allow_networks == ()


def test_dev_never_prints_a_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    api = SimpleNamespace(address="http://x", settings=with_local_secrets(load_settings()))
    store = SimpleNamespace(server=None)
    made = api.settings.admin_client_secret.get_secret_value()
    assert made in welcome(cast("Any", api), cast("Any", store))
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_ID", "admin")
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_SECRET", "s3cr3t-of-the-environment")
    api.settings = with_local_secrets(load_settings())
    printed = welcome(cast("Any", api), cast("Any", store))
    assert "s3cr3t-of-the-environment" not in printed
    assert '-u admin:"$DISPATCHER_ADMIN_CLIENT_SECRET"' in printed
    assert "to the console as client admin," in printed
