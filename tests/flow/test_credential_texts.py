"""Secrets as they are pasted: blanks around them are kept and warned of, control characters within are refused."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.flow.integrations.fields.credential_rules import blank_ends, client_secret_problem

INNER = ["a\nb", "a\r\nb", "a\x00b", "\x7fab", " a\tb ", "a\x1b[0mb"]


@pytest.mark.parametrize("secret", INNER)
def test_a_control_character_within_a_secret_is_refused_by_name_and_not_repeated(secret: str) -> None:
    problem = client_secret_problem(secret, "outboundCredentials.clientSecret")
    assert problem is not None
    assert (problem.code, problem.field) == ("invalid_text", "outboundCredentials.clientSecret")
    assert secret not in problem.message


@pytest.mark.parametrize("secret", ["S3cre1!\n", " S3cre1!", "S3cre1!\r\n", "\tS3cre1!", "S3cre1! "])
@pytest.mark.parametrize("name", ["clientSecret", "clientId"])
def test_a_blank_or_a_line_end_around_it_is_kept_and_warned_of(secret: str, name: str) -> None:
    assert client_secret_problem(secret, "f") is None
    (warning,) = blank_ends({"outboundCredentials": {name: secret}})
    assert warning.startswith(f"outboundCredentials.{name} begins or ends with a blank or line end")
    assert "S3cre1!" not in warning


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"outboundCredentials": None},
        {"outboundCredentials": {"clientSecret": None}},
        {"outboundCredentials": {"clientSecret": "S3 cre1!"}},
        {"outboundCredentials": {"clientSecret": "******"}},
        {"name": " Shop "},
    ],
)
def test_nothing_else_is_warned_of(changes: dict[str, Any]) -> None:
    assert list(blank_ends(changes)) == []
