"""`dispatcher verify` says whether a notification is genuine, and which part is not."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest

from dispatcher.policy.notification.signing import generate_secret, parse_secret, sign
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


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
    status, out, _ = dispatcher(capsys, "verify", *given, "--body-file", str(file))
    assert (status, out.startswith("genuine")) == (0, True)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BODY)))
    status, out, _ = dispatcher(capsys, "verify", *given, "--json")
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
        status, out, _ = dispatcher(capsys, "verify", *given, "--body-file", str(file))
        assert (status, out.startswith(text)) == (1, True), (text, out)


def test_verify_names_a_stale_timestamp_beside_whatever_else_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    secret, long_ago = generate_secret(), int(time.time()) - 4000
    for given in (headers(secret, long_ago), ["--secret", generate_secret(), *headers(secret, long_ago)[2:]]):
        status, out, _ = dispatcher(capsys, "verify", *given, "--body-file", str(file))
        assert (status, "webhook-timestamp is stale: 400" in out) == (1, True), out


def test_verify_of_a_file_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = dispatcher(capsys, "verify", *headers(generate_secret(), 1), "--body-file", "/nowhere")
    assert (status, err) == (2, "error: /nowhere cannot be read: No such file or directory\n")


@pytest.mark.parametrize("secret", ["nonsense", "whsec_!!!", "whsec_c2hvcnQ="])
def test_verify_with_an_unreadable_secret_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, secret: str
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    given = ["--secret", secret, "--id", "e", "--timestamp", "1", "--signature", "v1,AA=="]
    status, out, err = dispatcher(capsys, "verify", *given, "--body-file", str(file))
    assert (status, out) == (2, "")
    assert err.startswith("error: --secret: ")
