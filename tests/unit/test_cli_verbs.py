"""What the verbs do before and after they call the API: options, payloads, addresses, credentials, words."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from dispatcher.catalogue.samples import sample_payload
from dispatcher.cli.address_file import announced, announced_addresses
from dispatcher.cli.api_access import EXIT_STATUSES, Access, find_access, refusal
from dispatcher.cli.clients import known_scopes
from dispatcher.cli.conditions import Conditions, since_moment
from dispatcher.cli.demo_hints import program
from dispatcher.cli.demo_story import KINDS, RETRIED, Line, complaints
from dispatcher.cli.emit import emittable
from dispatcher.cli.event_lines import age, times
from dispatcher.cli.main import main
from dispatcher.cli.payload_input import parsed, payload_from, set_field
from dispatcher.client import ApiError
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.policy.payload_rules import validate_payload
from dispatcher.policy.signing import generate_secret, parse_secret, sign
from dispatcher.sample_host import Notification

NOW_S = 1_800_000_000.0
ADMIN = {"clientId": "admin", "clientSecret": "S3cre1"}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty data folder, and an environment that says nothing else."""
    for name in [name for name in os.environ if name.startswith("DISPATCHER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@contextmanager
def running(folder: Path, *addresses: str, secret: str = "S3cre1") -> Iterator[None]:
    """A server that was started on ``folder``."""
    with announced(folder, *addresses):
        (folder / "admin.json").write_bytes(orjson.dumps(ADMIN | {"clientSecret": secret}))
        yield


EMITTABLE = [kind for kind, rule in TYPE_RULES.items() if rule.emitted_by_callers]


@pytest.mark.parametrize("kind", EMITTABLE)
def test_every_type_has_a_sample_that_is_accepted(kind: EventType) -> None:
    sample = sample_payload(kind)
    assert sample
    assert validate_payload(kind, sample) == []
    sample.clear()
    assert sample_payload(kind)


@pytest.mark.parametrize("name", ["create", "CREATE", "subscription_order", "SUBSCRIPTION_ORDER"])
def test_types_may_be_typed_in_any_case(name: str) -> None:
    assert emittable(name) is EventType.SUBSCRIPTION_ORDER


@pytest.mark.parametrize("name", ["status", "SUBSCRIPTION_STATUS", "bogus", ""])
def test_types_that_callers_cannot_emit_are_refused_with_those_that_they_can(name: str) -> None:
    with pytest.raises(ConfigurationError, match="use one of create, upgrade, cancel"):
        emittable(name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("true", True),
        ("null", None),
        ('"5"', "5"),
        ('{"a":[1]}', {"a": [1]}),
        ("ACME Inc", "ACME Inc"),
        ("", ""),
    ],
)
def test_values_are_json_where_they_can_be_read_as_json(text: str, value: object) -> None:
    assert parsed(text) == value


def test_fields_are_set_by_their_paths_over_the_sample() -> None:
    data = ["notice.type=CLOSED", "payload.account.status=SUSPENDED", "configuration.seats=3", "user.email=a=b"]
    payload = payload_from(EventType.SUBSCRIPTION_NOTICE, None, data)
    assert payload == {
        "account": {"status": "SUSPENDED"},
        "notice": {"type": "CLOSED"},
        "configuration": {"seats": 3},
        "user": {"email": "a=b"},
    }


def test_entries_of_lists_are_named_by_their_place() -> None:
    payload = payload_from(EventType.SUBSCRIPTION_ORDER, None, ["order.items.0.quantity=7"])
    assert payload["order"]["items"] == [{"unit": "USER", "quantity": 7}]


@pytest.mark.parametrize("path", ["items.1", "items.x", "items.-1", "name.a", "name.a.b"])
def test_paths_that_lead_nowhere_are_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=path.replace(".", r"\.")):
        set_field({"items": [1], "name": "x"}, path, 2)


@pytest.mark.parametrize("given", ["novalue", "=5", ""])
def test_data_without_a_path_and_a_value_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="path=value"):
        payload_from(EventType.SUBSCRIPTION_ORDER, None, [given])


def test_payload_file_replaces_the_sample(tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"a": 1}')
    assert payload_from(EventType.SUBSCRIPTION_ORDER, file, ["b=2"]) == {"a": 1, "b": 2}


@pytest.mark.parametrize(("text", "why"), [("[1]", "JSON object"), ("{", "not JSON"), (None, "cannot be read")])
def test_payload_file_that_is_no_json_object_is_refused(tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "payload.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        payload_from(EventType.SUBSCRIPTION_ORDER, file, [])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", "2027-01-15T07:58:30.000Z"),
        ("15m", "2027-01-15T07:45:00.000Z"),
        ("1h", "2027-01-15T07:00:00.000Z"),
        ("2D", "2027-01-13T08:00:00.000Z"),
        ("999999999d", "1970-01-01T00:00:00.000Z"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
    ],
)
def test_since_is_an_age_or_a_moment(text: str, moment: str) -> None:
    assert since_moment(text, NOW_S) == moment


@pytest.mark.parametrize("text", ["yesterday", "1 week", "h", "-1h"])
def test_since_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="nor an ISO 8601 time"):
        since_moment(text, NOW_S)


def test_conditions_are_a_query_and_a_body() -> None:
    only = Conditions(status=["dead", "failed"], type=["create"], account="A", product="P")
    assert only.query() == {"status": "DEAD,FAILED", "type": "create", "accountId": "A", "productId": "P"}
    assert only.body() == {"status": ["DEAD", "FAILED"], "type": ["create"], "accountId": "A", "productId": "P"}
    assert Conditions().query() == {}


def test_ages_and_counts_in_words() -> None:
    assert [age(s) for s in (-1, 0, 119, 120, 7200, 200_000)] == ["0 s", "0 s", "119 s", "2 min", "2 h", "2 d"]
    assert [times(n, "event") for n in (0, 1, 2)] == ["0 events", "1 event", "2 events"]


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
    with pytest.raises(ConfigurationError, match="give both"):
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
    with pytest.raises(SystemExit) as ended:
        main(["clients", "create", "--scope", "events:read", option, value])
    assert ended.value.code == 2
    assert option in capsys.readouterr().err


def test_scope_of_product_hosts_is_not_given_by_hand() -> None:
    with pytest.raises(ConfigurationError, match="unknown scope ROLE_APPLICATION"):
        known_scopes(["ROLE_APPLICATION"])


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["verify", *arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


BODY = b'{"type":"SUBSCRIPTION_ORDER"}'


def headers(secret: str, at_s: int, body: bytes = BODY) -> list[str]:
    signature = sign([parse_secret(secret)], "e-1", at_s, body)
    return ["--secret", secret, "--id", "e-1", "--timestamp", str(at_s), "--signature", signature]


def test_verify_of_a_genuine_notification_exits_with_0(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    given = headers(generate_secret(), int(time.time()))
    status, out, _ = verified(capsys, *given, "--body-file", str(file))
    assert (status, out.startswith("genuine")) == (0, True)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BODY)))
    status, out, _ = verified(capsys, *given, "--json")
    assert (status, json.loads(out)["genuine"]) == (0, True)


def test_verify_says_which_part_is_wrong_and_exits_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY + b"\n")
    secret, other, now_s = generate_secret(), generate_secret(), int(time.time())
    pretty = json.dumps(json.loads(BODY), indent=2).encode()
    cases = {
        "body is wrong": headers(secret, now_s),
        "timestamp is wrong": headers(secret, now_s - 4000, BODY + b"\n"),
        "secret is wrong": ["--secret", other, *headers(secret, now_s, pretty)[2:]],
        "signature is wrong": [*headers(secret, now_s)[:-1], "nonsense"],
    }
    for text, given in cases.items():
        status, out, _ = verified(capsys, *given, "--body-file", str(file))
        assert (status, out.startswith(text)) == (1, True), (text, out)


def test_verify_of_a_file_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = verified(capsys, *headers(generate_secret(), 1), "--body-file", "/nowhere")
    assert (status, err) == (2, "error: /nowhere cannot be read: No such file or directory\n")


@pytest.mark.parametrize("secret", ["nonsense", "whsec_!!!", "whsec_c2hvcnQ="])
def test_verify_with_an_unreadable_secret_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, secret: str
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    given = ["--secret", secret, "--id", "e", "--timestamp", "1", "--signature", "v1,AA=="]
    status, out, err = verified(capsys, *given, "--body-file", str(file))
    assert (status, out) == (2, "")
    assert err.startswith("error: --secret: ")


def test_suggested_commands_begin_as_this_one_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "dispatcher"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert program(str(script)) == ["bin/dispatcher"]
    monkeypatch.setenv("PATH", str(script.parent))
    assert program(str(script)) == ["dispatcher"]
    assert program("/somewhere/dispatcher/cli/main.py")[1:] == ["-m", "dispatcher.cli.main"]


def notification(event_id: str, **changes: object) -> Notification:
    genuine = Notification(event_id, "SUBSCRIPTION_ORDER", 1, None, True, "genuine", True, False, 200, {}, 0.0)
    return replace(genuine, **changes)  # type: ignore[arg-type]


def good_story() -> tuple[list[Line], list[Notification]]:
    lines = [
        Line(name, name, sequence=n, status="SUCCEEDED", attempts=1, consumed=True, seen=notification(name))
        for n, name in enumerate(KINDS, start=1)
    ]
    lines = [replace(line, attempts=2) if line.name == RETRIED else line for line in lines]
    received = [notification(name) for name in KINDS]
    received += [notification(f"about {name}", type="SUBSCRIPTION_STATUS") for name in KINDS]
    received.insert(1, notification(RETRIED, status=503))
    return lines, received


def test_demo_is_content_when_all_went_as_it_should() -> None:
    assert complaints(*good_story()) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"status": "DEAD", "error": "TRANSPORT_ERROR"}, "create is DEAD after 1 attempts: TRANSPORT_ERROR"),
        ({"status": "QUEUED"}, "create is QUEUED"),
        ({"seen": None}, "never received"),
        ({"seen": notification("create", genuine=False, text="wrong secret")}, "wrong secret"),
        ({"seen": notification("create", authorised=False)}, "did not find it genuine"),
        ({"attempts": 2}, "create took 2 attempts, not 1"),
    ],
)
def test_demo_complains_of_every_event_that_did_not_end_as_it_should(change: dict[str, object], text: str) -> None:
    lines, received = good_story()
    lines[0] = replace(lines[0], **change)  # type: ignore[arg-type]
    (found,) = complaints(lines, received)
    assert text in found


def test_demo_complains_of_lost_order_and_lost_status_notifications() -> None:
    lines, received = good_story()
    received[0], received[2] = received[2], received[0]
    (found,) = complaints(lines, received)
    assert "in their order" in found
    lines, received = good_story()
    (found,) = complaints(lines, received[:-1])
    assert "5 status notifications, not 6" in found
