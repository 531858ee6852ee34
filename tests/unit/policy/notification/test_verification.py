"""The part of a signed notification that is wrong."""

from __future__ import annotations

import pytest

from dispatcher.policy.notification.signing import (
    SeedKey,
    generate_secret,
    generate_seed,
    parse_secret,
    parse_verifying_key,
    sign,
)
from dispatcher.policy.notification.verification import Part, Verification, verify

SECRET = generate_secret()
BODY = '{"type":"SUBSCRIPTION_ORDER","name":"é"}'.encode()
NOW_S = 1_700_000_000
HEADER = sign([parse_secret(SECRET)], "evt-1", NOW_S, BODY)


def check(
    body: bytes = BODY, *, secret: str = SECRET, timestamp: str = str(NOW_S), header: str = HEADER, now_s: float = NOW_S
) -> Verification:
    return verify([parse_verifying_key(secret)], "evt-1", timestamp, header, body, now_s=now_s)


def test_a_genuine_notification_passes() -> None:
    assert check().genuine


def test_an_ed25519_signature_passes_with_the_public_key() -> None:
    key = parse_secret(generate_seed())
    assert isinstance(key, SeedKey)
    header = sign([key], "evt-1", NOW_S, BODY)
    assert check(secret=str(key.public), header=header).genuine


def test_one_matching_entry_is_enough() -> None:
    other = sign([parse_secret(generate_secret())], "evt-1", NOW_S, BODY)
    assert check(header=f"v2,abc {other} {HEADER}").genuine


@pytest.mark.parametrize("age_s", [301, -301])
def test_a_stale_or_future_timestamp_is_named(age_s: int) -> None:
    found = check(now_s=NOW_S + age_s)
    assert found.wrong is Part.TIMESTAMP
    assert "genuine" in found.text


@pytest.mark.parametrize("timestamp", ["", "abc", "-1", "1.5", "9" * 40, "²"])
def test_an_unreadable_timestamp_is_named(timestamp: str) -> None:
    assert check(timestamp=timestamp).wrong is Part.TIMESTAMP


def test_milliseconds_are_recognised() -> None:
    found = check(timestamp=str(NOW_S * 1000))
    assert found.wrong is Part.TIMESTAMP
    assert "milliseconds" in found.text


@pytest.mark.parametrize("header", ["", "v1", "v1,", "v1,!!", "v9,QUJD"])
def test_an_unreadable_signature_is_named(header: str) -> None:
    assert check(header=header).wrong is Part.SIGNATURE


def test_a_key_of_another_scheme_is_named() -> None:
    found = check(secret=generate_seed())
    assert found.wrong is Part.SECRET
    assert "v1a" in found.text


def test_another_secret_is_named() -> None:
    assert check(secret=generate_secret()).wrong is Part.SECRET


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (BODY + b"\n", "white space was added"),
        (b"\xef\xbb\xbf" + BODY, "byte order mark"),
        ('{"type": "SUBSCRIPTION_ORDER", "name": "é"}'.encode(), "written again"),
        (b'{"type": "SUBSCRIPTION_ORDER", "name": "\\u00e9"}', "written again"),
    ],
)
def test_changed_bytes_are_named(body: bytes, hint: str) -> None:
    found = check(body)
    assert found.wrong is Part.BODY
    assert hint in found.text


def test_changed_content_is_not_called_genuine() -> None:
    assert not check(BODY.replace(b"ORDER", b"CANCEL")).genuine
