"""The command line: a table of verbs, a settings reference made from the class, errors that say what to do."""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.local.local_secrets import LOOPBACK, admin_credentials, with_local_secrets
from dispatcher.cli.main import VERBS, Verb, build, load
from dispatcher.cli.processes.supervisor import HOME, import_path, next_delay
from dispatcher.cli.terminal.output import cell
from dispatcher.effective_settings import reference
from dispatcher.errors import ConfigurationError
from dispatcher.model.access import ADMIN_SCOPES
from dispatcher.settings import Settings
from dispatcher.store.secrets.sealing import Sealer
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]

SECRET = "canary-S3cre1-0123456789"


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
        "bounds": "0 to 65,535",
        "description": "",
    }
    assert entries["DISPATCHER_REQUEST_TIMEOUT"]["bounds"] == "above 0, to 300"
    assert entries["DISPATCHER_HOST"]["bounds"] is None
    assert entries["DISPATCHER_RETRY_SCHEDULE"]["default"].startswith("5,60,300,")


NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float, int | None)]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("text", ["-1e300", "1e300", "inf", "nan"])
def test_every_number_has_two_bounds(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DISPATCHER_{name.upper()}", text)
    with pytest.raises(ConfigurationError, match=f"DISPATCHER_{name.upper()}: "):
        load_settings()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ARCHIVE_URL": "elsewhere"}, "DISPATCHER_ARCHIVE_URL: it is not s3://BUCKET"),
        ({"ARCHIVE_ENDPOINT": "http://127.0.0.1:9000"}, "DISPATCHER_ARCHIVE_ENDPOINT and _REGION are of"),
        ({"ARCHIVE_URL": "s3://one", "ARCHIVE_DIR": "two"}, "give DISPATCHER_ARCHIVE_DIR or DISPATCHER_ARCHIVE_URL"),
    ],
)
def test_refusals_begin_with_what_is_wrong(given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in given.items():
        monkeypatch.setenv(f"DISPATCHER_{name}", text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(told)


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


def test_unknown_scope_exits_with_2_and_names_the_allowed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = dispatcher(capsys, "clients", "create", "--scope", "events:wirte")
    assert outcome.status == 2
    assert all(scope in outcome.err for scope in ADMIN_SCOPES)


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


def test_children_of_a_checkout_that_is_not_installed_find_it_as_their_supervisor_did() -> None:
    home = str(HOME)
    assert import_path([home, "/usr/lib/python3"], None) == {"PYTHONPATH": home}
    assert import_path([home, "/usr/lib/python3"], "/mine") == {"PYTHONPATH": f"{home}{os.pathsep}/mine"}
    assert import_path(["/venv/bin", "/usr/lib/python3", home], "/mine") == {}, "installed"
