"""Changes by the command line are noted too, and it shows and verifies the audit log."""

from __future__ import annotations

import json

import pytest
import redis as redis_sync

from dispatcher.store.keys.definitions import AUDIT_HEAD as HEAD
from dispatcher.store.keys.definitions import AUDIT_STREAM as STREAM
from dispatcher.store.secrets.sealing import new_key
from tests.cli.in_process import dispatcher


def test_the_command_line_notes_shows_and_verifies(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    status, out, _ = dispatcher(capsys, "clients", "create", "--role", "viewer", "--rate", "5")
    made = json.loads(out)
    assert (status, set(made)) == (0, {"clientId", "clientSecret"})
    assert dispatcher(capsys, "clients", "disable", made["clientId"])[0] == 0
    status, out, _ = dispatcher(capsys, "audit-log", "--json", "--object", made["clientId"])
    found = json.loads(out)
    assert (status, [one["action"] for one in found]) == (0, ["disableClient", "createClient"])
    assert found[0]["client"].startswith("cli:")
    assert found[1]["after"]["rate_per_s"] == 5
    status, out, _ = dispatcher(capsys, "audit-log", "--verify")
    assert (status, "2 entries, 1 to 2: unbroken" in out) == (0, True)
    with redis_sync.Redis(unix_socket_path=redis_url.removeprefix("unix://")) as client:
        client.xdel(STREAM, client.xrange(STREAM)[-1][0])
        status, _, err = dispatcher(capsys, "audit-log", "--verify", "--json")
        assert (status, err) == (1, "")
        client.set(HEAD, "garbage")
        status, out, err = dispatcher(capsys, "audit-log", "--verify")
        assert (status, "BROKEN" in out, "redis-cli SET" in err) == (1, True, True)


def test_sealing_again_by_hand_is_noted_once_with_its_counts_and_a_dry_run_is_not(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    monkeypatch.setenv("DISPATCHER_SECRET_KEYS", new_key())
    assert dispatcher(capsys, "secrets", "reseal", "--dry-run")[0] == 0
    assert json.loads(dispatcher(capsys, "audit-log", "--json")[1]) == []
    assert dispatcher(capsys, "secrets", "reseal")[0] == 0
    (entry,) = json.loads(dispatcher(capsys, "audit-log", "--json")[1])
    assert (entry["action"], entry["kind"], entry["outcome"]) == ("resealSecrets", "secrets", "done")
    assert entry["after"] == {"values": 0, "resealed": 0, "stale": 0, "problems": 0}
    assert entry["client"].startswith("cli:")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--role", "publisher"], "name it with --vendor"),
        (["--role", "account-user"], "name it with --account"),
        (["--role", "product-host"], "generateProductIntegrationInboundClient"),
        ([], "give at least one --scope"),
    ],
)
def test_a_role_that_cannot_be_given_is_a_usage_error(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = dispatcher(capsys, "clients", "create", *arguments)
    assert (status, told in err) == (2, True), err
