"""Addresses that a browser may be sent to: absolute http and https URLs as they were configured, and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.addresses.launch_urls import launch_url


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example.com/start?tenant=1#top",
        "http://example.com",
        "HTTPS://Example.com/a%2Fb",
        "https://[2001:db8::1]:8443/x",
        "http://localhost:3000/",
    ],
)
def test_an_absolute_url_is_kept_as_it_is(url: str) -> None:
    assert launch_url(url) == url


def test_letters_beyond_ascii_are_encoded() -> None:
    assert launch_url("https://bücher.example/straße") == "https://xn--bcher-kva.example/stra%C3%9Fe"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "YOUR_INITIATE_LOGIN_URL",
        "/login",
        "//evil.example",
        "login.example.com",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https:example.com",
        "https:\\\\evil.example",
        "https://good.example\\@evil.example",
        "https://good.example@evil.example/",
        "https://example.com/a\r\nSet-Cookie: a=b",
        "https://example.com/a b",
        "https://example.com/\u202e",
        "https://example.com:99999/",
        "https://[::1/",
        "\ud800",
    ],
)
def test_whatever_else_is_no_place_to_send_anybody(text: str) -> None:
    assert launch_url(text) is None


@given(st.text() | st.from_regex(r"https?:[/\\]{0,3}[^/]{0,12}(/.{0,8})?"))
def test_what_is_sent_is_always_absolute_and_fits_a_header(text: str) -> None:
    location = launch_url(text)
    if location is not None:
        assert location.isascii()
        assert location.isprintable()
        parts = urlsplit(location)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
