"""Foreign text made safe to keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.secrets.redaction import MASK, MAX_EXCERPT_BYTES, _spellings, escape, scrub

SECRET = "S3cre1!/ä"


@pytest.mark.parametrize(
    "text",
    [
        "echo S3cre1!/ä back",
        "client=1&secret=S3cre1%21%2F%C3%A4",
        '{"given": "S3cre1!/\\u00e4"}',
        "S3cre1!/äS3cre1!/ä",
    ],
)
def test_known_secrets_are_masked_in_every_spelling(text: str) -> None:
    shown = scrub(text, [SECRET])
    assert MASK in shown
    assert "S3cre1" not in shown


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer eyJhbGciOi.JIUzI1.NiJ9", "eyJ"),
        ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("bad secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw!", "MfKQ"),
        ("whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "nWGx"),
        ("grant_type=x&client_secret=abcdef&scope=y", "abcdef"),
        ('{"client_secret": "abcdef"}', "abcdef"),
        ('{"access_token":"abcdef"}', "abcdef"),
        ("X-Api-Key: abcdef", "abcdef"),
        ('"password" : "abcdef"', "abcdef"),
    ],
)
def test_credentials_are_masked_by_their_form(text: str, hidden: str) -> None:
    shown = scrub(text)
    assert MASK in shown
    assert hidden not in shown


@pytest.mark.parametrize(
    "text",
    [
        '{"success":false,"errorCode":"FORBIDDEN","message":"basic plan only, señor"}',
        "The Basic plan allows only 5 users.",
        "TLS failed: Basic Constraints of CA cert not marked critical",
        "HTTP Basic authentication is switched off",
        "BASIC AUTHENTICATION REQUIRED",
        "Bearer tokens are not accepted here",
        "a bearer token's audience is wrong",
        "token expired",
        "password: must be changed",
        "the access_token: expired",
        "wrong password (bearer, basic)",
    ],
)
def test_words_are_kept_as_they_are(text: str) -> None:
    assert scrub(text, ["notinthere"]) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("we got Bearer abc123", "abc123"),
        ("we got basic dXNlcjpwYXNzd29yZA", "dXNlcj"),
        ("sent: bearer AbCdEfGhIjKlMnOp", "AbCd"),
        ("password: hunter2", "hunter2"),
        ("access_token: 4711-abc", "4711"),
        ('{"Authorization":"Basic abc"}', "abc"),
        ("authorization=bearer word", "word"),
        ("password=secret", "secret"),
    ],
)
def test_what_has_the_shape_or_the_place_of_a_credential_is_masked(text: str, hidden: str) -> None:
    shown = scrub(text)
    assert MASK in shown
    assert hidden not in shown


def test_short_secrets_do_not_mask_ordinary_text() -> None:
    assert scrub("abc", ["", "a", "abc"]) == "abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("a\u2028b\u202ec", "a\\u2028b\\u202ec"),
        ("<script>é", "<script>é"),
    ],
)
def test_BI56_control_characters_are_escaped(text: str, shown: str) -> None:  # noqa: N802
    assert escape(text) == shown
    assert scrub(text) == shown


@pytest.mark.parametrize("text", ["a" * 100_000, "é" * 5000, b"\xff" * 9000, "\x00" * 5000, "\ud800" * 3000])
def test_an_excerpt_is_bounded(text: str | bytes) -> None:
    shown = scrub(text)
    assert len(shown.encode()) <= MAX_EXCERPT_BYTES
    assert shown.endswith("…")


@pytest.mark.parametrize("lead", range(4060, 4110, 3))
def test_a_secret_across_the_cut_is_not_shown_in_part(lead: int) -> None:
    assert "abcd" not in scrub("." * lead + "abcdefghijklmnopqrstuvwxyz" + "." * 9000, ["abcdefghijklmnopqrstuvwxyz"])


@pytest.mark.parametrize("lead", range(8160, 8200, 3))
def test_a_secret_across_the_reading_window_is_not_shown_in_part(lead: int) -> None:
    secret = "abcdefghijklmnopqrstuvwxyz"
    shown = scrub("Bearer " + "x" * (lead - 7) + secret + "." * 9000, [secret])
    assert "abcd" not in shown


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40))
def test_a_text_that_is_nothing_but_a_secret_is_masked_and_no_spelling_is_shorter(secret: str) -> None:
    assert all(len(spelling) >= len(secret) for spelling in _spellings((secret,)))
    for text in (secret, secret.encode()):
        assert scrub(text, [secret]) == MASK
