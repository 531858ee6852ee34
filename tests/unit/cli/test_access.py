"""The API that verbs call, as whom, and words of a refusal. Never a secret to a server elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.cli.api_access import EXIT_STATUSES, Access, find_access, of_running, refusal
from dispatcher.cli.beginning import load_settings
from dispatcher.cli.local.address_file import announced, announced_addresses
from dispatcher.cli.storage.clients import known_scopes
from dispatcher.client import ApiError
from dispatcher.errors import ConfigurationError, Problem
from tests.cli.data_folder import folder, running
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


def test_address_is_found_only_while_its_server_runs(folder: Path) -> None:
    assert announced_addresses(folder) == []
    with announced(folder, "http://a", "http://b"):
        assert announced_addresses(folder) == ["http://a", "http://b"]
        with announced(folder, "http://c"):
            assert announced_addresses(folder) == ["http://a", "http://b"]
        note = (folder / "listening.json").read_text()
        assert (folder / "listening.json").stat().st_mode & 0o777 == 0o600
    assert announced_addresses(folder) == []
    (folder / "listening.json").write_text(note)
    assert announced_addresses(folder) == [], "what a killed server left is not believed"


def test_running_dev_is_found_without_any_setting(folder: Path) -> None:
    with running(folder, "http://127.0.0.1:4711"):
        assert find_access() == Access("http://127.0.0.1:4711", "admin", "S3cre1", found=True)


def test_clients_are_those_of_the_demo_while_nothing_else_runs(folder: Path) -> None:
    assert of_running(load_settings()).data_dir == folder
    with running(folder / "demo", "http://127.0.0.1:1"):
        assert of_running(load_settings()).data_dir == folder / "demo"
        elsewhere = load_settings(redis_url="redis://127.0.0.1:1/0")
        assert of_running(elsewhere) == elsewhere
        with running(folder, "http://127.0.0.1:2"):
            assert of_running(load_settings()).data_dir == folder


def test_running_demo_is_found_when_no_dev_runs_and_by_its_address_when_one_does(folder: Path) -> None:
    with running(folder / "demo", "http://127.0.0.1:1", secret="of the demo"):
        assert (find_access().url, find_access().client_secret) == ("http://127.0.0.1:1", "of the demo")
        with running(folder, "http://0.0.0.0:2", secret="of dev"):
            assert (find_access().url, find_access().client_secret) == ("http://127.0.0.1:2", "of dev")
            assert find_access("http://127.0.0.1:1/").client_secret == "of the demo"


def test_demo_is_given_its_own_credentials_although_the_environment_names_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_ID", "production")
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_SECRET", "0123456789abcdef")
    with running(folder / "demo", "http://127.0.0.1:1"):
        assert find_access("http://127.0.0.1:1").client_id == "admin"
    assert find_access("https://dispatcher.example.com").client_id == "production"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"DISPATCHER_PUBLIC_BASE_URL": "https://d.example.com/"}, "https://d.example.com"),
        ({"DISPATCHER_HOST": "10.0.0.5"}, "http://10.0.0.5:8080"),
        ({"DISPATCHER_PORT": "9090"}, "http://127.0.0.1:9090"),
        ({"DISPATCHER_HOST": "0.0.0.0", "DISPATCHER_PORT": "9090"}, "http://127.0.0.1:9090"),
        ({}, "http://127.0.0.1:8080"),
    ],
)
def test_environment_names_the_api(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], url: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    access = find_access(None, "me", "secret")
    assert (access.url, access.client_id, access.found) == (url, "me", False)


def test_local_credentials_are_never_given_to_a_server_elsewhere(folder: Path) -> None:
    with running(folder, "http://127.0.0.1:4711"):
        assert find_access("http://localhost:1").client_secret == "S3cre1"
        with pytest.raises(ConfigurationError, match=r"no credentials for https://example\.com"):
            find_access("https://example.com")


@pytest.mark.parametrize("given", [("id", None), (None, "secret"), ("id", "")])
def test_half_a_client_is_refused(given: tuple[str | None, str | None]) -> None:
    with pytest.raises(ConfigurationError, match="--client-id"):
        find_access("http://localhost:1", *given)


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="http"):
        find_access("localhost:8080", "id", "secret")


ACCESS = Access("http://d", "me", "S3cre1", found=False)


def test_refusal_has_a_line_for_each_field_and_never_the_secret() -> None:
    one = [Problem("x", "Give a type.", "type")]
    two = [*one, Problem("y", "Give a product.", "productId")]
    assert refusal(ACCESS, ApiError(422, one)) == ["type: Give a type."]
    assert refusal(ACCESS, ApiError(422, two)) == [
        "refused with 422",
        "  type: Give a type.",
        "  productId: Give a product.",
    ]
    assert "check --url" in refusal(ACCESS, ApiError(404))[0]
    assert refusal(ACCESS, ApiError(500, one, "r-1"))[-1] == "  request id r-1"
    for status in (401, 403):
        text = " ".join(refusal(ACCESS, ApiError(status, one)))
        assert "'me'" in text
        assert "S3cre1" not in text
        assert EXIT_STATUSES[status] == 2


@pytest.mark.parametrize(
    ("option", "value"), [("--account", ""), ("--vendor", ""), ("--account", "x" * 256), ("--name", "a\x1b[31m")]
)
def test_client_that_would_be_bound_to_nobody_is_not_made(
    capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    ended = dispatcher(capsys, "clients", "create", "--scope", "events:read", option, value)
    assert ended.status == 2
    assert option in ended.err


def test_scope_of_product_hosts_is_not_given_by_hand() -> None:
    with pytest.raises(ConfigurationError, match="unknown scope ROLE_APPLICATION"):
        known_scopes(["ROLE_APPLICATION"])
