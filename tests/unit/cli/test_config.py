"""The command line: a table of verbs, a settings reference made from the class, errors that say what to do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dispatcher.cli.config import reference
from dispatcher.cli.local_secrets import LOOPBACK, admin_credentials, with_local_secrets
from dispatcher.cli.main import VERBS, Verb, build, load, main
from dispatcher.cli.output import cell
from dispatcher.cli.startup import load_settings, open_store
from dispatcher.cli.supervisor import next_delay
from dispatcher.errors import ConfigurationError
from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.access import ADMIN_SCOPES
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.settings import Settings
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.secrets.sealing import Sealer

SECRET = "canary-S3cre1-0123456789"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("DISPATCHER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path / "data"))


class Outcome:
    """How one run of the command ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def json(self) -> Any:
        return json.loads(self.out)


def dispatcher(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """The command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return Outcome(int(ended.value.code or 0), captured.out, captured.err)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_of_the_table_loads_and_has_help(verb: Verb) -> None:
    assert callable(load(verb))
    result = CliRunner().invoke(build([verb.name]), [verb.name, "--help"])
    assert result.exit_code == 0
    assert verb.summary.split()[0] in result.output


def test_every_verb_is_listed_without_being_imported(capsys: pytest.CaptureFixture[str]) -> None:
    text = dispatcher(capsys, "--help").out
    for verb in VERBS:
        assert verb.name in text
    elsewhere = Verb("elsewhere", "dispatcher.cli.no_such_module:verb", "Not imported.")
    assert CliRunner().invoke(build([], [*VERBS, elsewhere]), ["--help"]).exit_code == 0


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from dispatcher.cli.main import build; build(['--help']); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"aiohttp", "redis", "pydantic", "strawberry", "arq", "authlib"} & set(loaded)


def test_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher(capsys, "--version").out.startswith("dispatcher 0.")


@pytest.mark.parametrize("arguments", [["bogus"], ["--bogus"], ["serve", "--port", "x"], ["clients", "create"]])
def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert dispatcher(capsys, *arguments).status == 2


def test_interruption_exits_with_130_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> typer.Typer:
        raise KeyboardInterrupt

    monkeypatch.setattr("dispatcher.cli.main.load", interrupted)
    outcome = dispatcher(capsys, "config")
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")


def test_reference_has_every_setting_with_default_and_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    entries = {entry["name"]: entry for entry in dispatcher(capsys, "config", "--json").json()}
    assert list(entries) == [f"DISPATCHER_{name.upper()}" for name in Settings.model_fields]
    assert all(entry["description"] for entry in entries.values())
    assert entries["DISPATCHER_PORT"] | {"description": ""} == {
        "name": "DISPATCHER_PORT",
        "default": 8080,
        "value": 8080,
        "description": "",
    }
    assert entries["DISPATCHER_RETRY_SCHEDULE"]["default"].startswith("5,60,300,")


def test_reference_shows_current_values_and_masks_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_PORT", "9090")
    monkeypatch.setenv("DISPATCHER_REDIS_URL", f"redis://user:{SECRET}@host:6379/0")
    monkeypatch.setenv("DISPATCHER_SECRET_KEYS", f"{SECRET},{SECRET}")
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("DISPATCHER_ALLOW_NETWORKS", "10.0.0.0/8, ::1/128")
    for arguments in (["config"], ["config", "--json"]):
        outcome = dispatcher(capsys, *arguments)
        assert SECRET not in outcome.out
        assert "9090" in outcome.out
    values = {entry["name"]: entry["value"] for entry in outcome.json()}
    assert values["DISPATCHER_REDIS_URL"] == "redis://user:******@host:6379/0"
    assert values["DISPATCHER_SECRET_KEYS"] == "******,******"
    assert values["DISPATCHER_ALLOW_NETWORKS"] == "10.0.0.0/8,::1/128"


def test_values_can_be_given_back_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_settings()
    for entry in reference(before):
        if entry["value"] not in {None, ""}:
            monkeypatch.setenv(str(entry["name"]), str(entry["value"]))
    assert load_settings() == before


def test_new_key_can_encrypt(capsys: pytest.CaptureFixture[str]) -> None:
    sealer = Sealer([dispatcher(capsys, "config", "--new-key").out.strip()])
    assert sealer.open(sealer.seal("x", "c"), "c") == "x"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISPATCHER_PORT", SECRET),
        ("DISPATCHER_ALLOW_NETWORKS", SECRET),
        ("DISPATCHER_RETRY_SCHEDULE", f"1,{SECRET}"),
        ("DISPATCHER_LOG_FORMAT", SECRET),
    ],
)
def test_unreadable_setting_is_one_line_that_names_it_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    outcome = dispatcher(capsys, "config")
    assert outcome.status == 2
    assert name in outcome.err
    assert SECRET not in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_production_refuses_to_start_without_secret_keys(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    outcome = dispatcher(capsys, verb)
    assert outcome.status == 2
    assert "dispatcher config --new-key" in outcome.err


def test_client_is_created_listed_and_disabled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    made = dispatcher(
        capsys, "clients", "create", "--scope", "events:write", "--scope", "events:read", "--account", "A"
    ).json()
    assert sorted(made) == ["clientId", "clientSecret"]
    (listed,) = dispatcher(capsys, "clients", "list", "--json").json()
    assert listed["clientId"] == made["clientId"]
    assert (listed["scopes"], listed["accountId"], listed["disabled"]) == (["events:read", "events:write"], "A", False)
    assert made["clientSecret"] not in dispatcher(capsys, "clients", "list").out
    assert dispatcher(capsys, "clients", "disable", made["clientId"]).status == 0
    assert dispatcher(capsys, "clients", "list", "--json").json()[0]["disabled"] is True
    assert dispatcher(capsys, "clients", "disable", "nobody").status == 1


def test_unknown_scope_exits_with_2_and_names_the_allowed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = dispatcher(capsys, "clients", "create", "--scope", "events:wirte")
    assert outcome.status == 2
    assert all(scope in outcome.err for scope in ADMIN_SCOPES)


def test_doctor_exits_with_1_when_redis_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", f"redis://:{SECRET}@127.0.0.1:1")
    outcome = dispatcher(capsys, "doctor", "--json")
    assert outcome.status == 1
    assert outcome.json()["well"] is False
    assert outcome.json()["checks"][0]["level"] == "fail"
    assert SECRET not in outcome.out


def test_doctor_of_the_embedded_server_is_content(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = dispatcher(capsys, "doctor", "--json")
    assert outcome.status == 0
    levels = {check["name"]: check["level"] for check in outcome.json()["checks"]}
    assert {name for name, level in levels.items() if level == "warn"} == {"workers", "secret keys", "memory"}


def test_doctor_exits_with_1_when_events_wait_and_nobody_delivers_them(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_accept_one(load_settings()))
    outcome = dispatcher(capsys, "doctor", "--json")
    assert (outcome.status, outcome.json()["well"]) == (1, False)
    assert [check["name"] for check in outcome.json()["checks"] if check["level"] == "fail"] == ["workers"]


async def _accept_one(settings: Settings) -> None:
    async with open_store(settings, client_name="test") as store:
        queue = QueueStore(store.redis, partitions=settings.partitions, retention_ms=settings.retention_ms)
        lane = new_uuid()
        event_id = new_event_id(1, queue.partition_of(lane))
        await queue.accept([Event(event_id, EventType.SUBSCRIPTION_CHANGE, lane, 1, account_id="A")])


def test_local_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = with_local_secrets(load_settings())
    second = with_local_secrets(load_settings())
    assert first.secret_keys == second.secret_keys
    assert admin_credentials(first) == admin_credentials(second) == admin_credentials(load_settings())
    for name in ("secret.key", "admin.json"):
        assert (tmp_path / "data" / name).stat().st_mode & 0o777 == 0o600
    assert first.allow_networks == LOOPBACK
    Sealer([key.get_secret_value() for key in first.secret_keys])


def test_environment_wins_over_local_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPATCHER_SECRET_KEYS", SECRET)
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_ID", "me")
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("DISPATCHER_ALLOW_NETWORKS", "10.0.0.0/8")
    settings = with_local_secrets(load_settings())
    assert settings.secret_keys[0].get_secret_value() == SECRET
    assert admin_credentials(settings) == ("me", SECRET)
    assert settings.allow_networks == (IPv4Network("10.0.0.0/8"),)
    assert not (tmp_path / "data" / "secret.key").exists()
    assert not (tmp_path / "data" / "admin.json").exists()


def test_broken_admin_file_says_what_to_do(tmp_path: Path) -> None:
    with_local_secrets(load_settings())
    (tmp_path / "data" / "admin.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="delete it"):
        with_local_secrets(load_settings())


def test_cells_cannot_steer_the_terminal() -> None:
    assert cell("a\x1b[2J\r\nb") == "a\\x1b[2J\\r\\nb"
    assert [cell(value) for value in (None, True, False, ["a", 1])] == ["-", "yes", "no", "a 1"]


def test_supervisor_backs_off_and_starts_over_after_a_long_life() -> None:
    delays = [0.0]
    for _ in range(8):
        delays.append(next_delay(delays[-1], lived_s=1))
    assert delays[1:] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert next_delay(30, lived_s=61) == 0.5
