"""Form in which an AuthValue is sent: by its template's word, the request's, or what it looks like."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.connector import ConnectorAuth
from dispatcher.policy.installing.account_access import AccountAccess, approach
from dispatcher.policy.installing.connector_auth import auth_header, auth_value_refusal, kind_of

BASIC = "dXNlcm5hbWU6cGFzc3dvcmQ="


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (BASIC, ConnectorAuth.BASIC),
        (base64.b64encode(b":").decode(), ConnectorAuth.BASIC),
        (base64.b64encode(b"nocolon").decode(), ConnectorAuth.API_KEY),
        (BASIC[:-1], ConnectorAuth.API_KEY),
        ("00000000000000000000000000000000000000000", ConnectorAuth.API_KEY),
        ("plain:text", ConnectorAuth.API_KEY),
        (base64.b64encode(b"\xff:\xff").decode(), ConnectorAuth.API_KEY),
    ],
)
def test_base64_of_text_with_a_colon_is_a_pair_and_anything_else_a_key(value: str, kind: ConnectorAuth) -> None:
    assert kind_of(value, None, None) is kind


def test_the_template_decides_before_the_request_and_that_before_the_look() -> None:
    assert kind_of(BASIC, ConnectorAuth.OAUTH, ConnectorAuth.API_KEY) is ConnectorAuth.OAUTH
    assert kind_of(BASIC, None, ConnectorAuth.API_KEY) is ConnectorAuth.API_KEY


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (ConnectorAuth.BASIC, ("Authorization", "Basic v")),
        (ConnectorAuth.OAUTH, ("Authorization", "Bearer v")),
        (ConnectorAuth.OAUTH2, ("Authorization", "Bearer v")),
        (ConnectorAuth.API_KEY, ("X-Api-Key", "v")),
        (ConnectorAuth.NONE, None),
    ],
)
def test_each_kind_has_its_header(kind: ConnectorAuth, header: tuple[str, str] | None) -> None:
    assert auth_header(kind, "v") == header


@pytest.mark.parametrize("value", ["", " a", "a ", "a\r\nb", "a\x00", "ü", "x" * 8193])
def test_what_no_header_can_carry_is_refused(value: str) -> None:
    assert all(auth_value_refusal(kind, value) for kind in ConnectorAuth)


def test_a_token_has_no_blanks_and_a_key_may() -> None:
    assert auth_value_refusal(ConnectorAuth.OAUTH, "a b")
    assert auth_value_refusal(ConnectorAuth.API_KEY, "Auth value for the connector.") is None
    assert auth_value_refusal(ConnectorAuth.BASIC, "nopair")
    assert auth_value_refusal(ConnectorAuth.BASIC, BASIC) is None


@given(st.text(), st.sampled_from(ConnectorAuth))
def test_no_accepted_value_breaks_a_header(value: str, kind: ConnectorAuth) -> None:
    if auth_value_refusal(kind, value) is None and (header := auth_header(kind, value)):
        assert header[1].isascii()
        assert header[1].isprintable()


def test_a_value_goes_only_where_it_was_given_for() -> None:
    header = ("X-Api-Key", "v")
    access = AccountAccess(7, {}, header, "v", "sealed", frozenset({"https://example.com"}))
    assert approach(access, "https://example.com/hook").header == header
    elsewhere = approach(access, "https://other.example/hook")
    assert (elsewhere.header, bool(elsewhere.problem)) == (None, True)
