"""Properties of a connector in URLs: what they may name, and what they may not become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.addresses.url_properties import (
    Filled,
    Unfillable,
    fill,
    host_variables,
    names_a_host,
    origin_of,
    origin_refusal,
    unfillable,
    variables,
)

HOOK = "https://{Subdomain}.example.com/{Region}/hook?r={Region}"


def test_variables_are_filled() -> None:
    assert variables(HOOK) == ("Subdomain", "Region", "Region")
    assert host_variables(HOOK) == ("Subdomain",)
    filled = fill(HOOK, {"Subdomain": "acme", "Region": "eu"})
    assert filled == Filled("https://acme.example.com/eu/hook?r=eu")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("ü", "%C3%BC"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        ("a b", "a%20b"),
    ],
)
def test_values_of_the_path_are_encoded(value: str, written: str) -> None:
    assert fill("https://example.com/{A}", {"A": value}).url == f"https://example.com/{written}"


@pytest.mark.parametrize("value", [".", "..", ""])
def test_a_value_does_not_leave_the_path(value: str) -> None:
    with pytest.raises(Unfillable, match="A"):
        fill("https://example.com/{A}/x", {"A": value})


@pytest.mark.parametrize(
    "value", ["a.b", "a/b", "a@b", "a:80", "-a", "a-", "", "ü", "a b", "x" * 64, "a\n", "%61", "localhost.evil.example"]
)
def test_a_value_of_the_host_is_one_name(value: str) -> None:
    assert unfillable("https://{A}.example.com/", {"A": value})


@pytest.mark.parametrize("value", ["a", "acme-eu", "x" * 63, "4711"])
def test_names_are_taken_for_hosts(value: str) -> None:
    assert fill("https://{A}.example.com:8443/", {"A": value}).url == f"https://{value}.example.com:8443/"
    assert fill("https://app-{A}.example.com/", {"A": "a"}).url == "https://app-a.example.com/"


@pytest.mark.parametrize(
    "url",
    [
        "https://{A}/hook",
        "https://{A}.com/hook",
        "https://example.{A}/hook",
        "https://a.{A}.com/hook",
        "https://{A}.example.com:{A}/hook",
        "https://{A}@www.example.com/hook",
        "{A}://www.example.com/hook",
    ],
)
def test_variables_stand_before_two_fixed_names(url: str) -> None:
    assert unfillable(url, {"A": "evil"})


@pytest.mark.parametrize(
    ("url", "moved", "filled"),
    [
        ("https://example.com/hook", "https://h2", Filled("https://h2/hook", moved=True)),
        ("https://example.com/hook?a=1", "https://h2:8443/", Filled("https://h2:8443/hook?a=1", moved=True)),
        ("http://example.com", "https://h2", Filled("https://h2/", moved=True)),
        ("https://example.com/hook", "https://example.com", Filled("https://example.com/hook")),
        ("https://example.com:443/hook", "https://EXAMPLE.com", Filled("https://EXAMPLE.com/hook")),
        ("https://{A}.example.com/hook", "https://h2", Filled("https://h2/hook", moved=True)),
    ],
)
def test_url_replaces_the_origin(url: str, moved: str, filled: Filled) -> None:
    assert fill(url, {"Url": moved}) == filled


@pytest.mark.parametrize(
    "value",
    [
        "https://h2/path",
        "https://h2?q",
        "https://h2#f",
        "https://u@h2",
        "https://u:p@h2",
        "ftp://h2",
        "//h2",
        "h2",
        "https://",
        "https://h2:notaport",
        "javascript:alert(1)",
        "https://h2/..",
        "https://h2\\@evil",
    ],
)
def test_url_is_an_origin_and_nothing_else(value: str) -> None:
    assert origin_refusal(value)
    assert unfillable("https://example.com/hook", {"Url": value})


def test_url_never_leads_from_https_to_http() -> None:
    assert origin_refusal("http://h2", ["https://example.com"])
    assert origin_refusal("http://h2", ["http://example.com"]) is None
    assert unfillable("https://example.com/", {"Url": "http://h2"})


def test_an_empty_url_moves_nothing() -> None:
    assert fill("https://example.com/hook", {"Url": ""}) == Filled("https://example.com/hook")


def test_whatever_names_a_host_is_known_by_name() -> None:
    assert names_a_host("Url", [])
    assert names_a_host("Subdomain", [HOOK])
    assert not names_a_host("Region", [HOOK])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.com/x", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com:8080/", "http://example.com:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("ftp://example.com", None),
        ("https://example.com:x", None),
        ("nothing", None),
    ],
)
def test_origins_are_compared_as_browsers_do(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@given(st.text(), st.text())
def test_no_value_ever_changes_where_a_fixed_host_is(subdomain: str, region: str) -> None:
    properties = {"Subdomain": subdomain, "Region": region}
    try:
        url = fill("https://fixed.example.com/{Region}/x?{Subdomain}", properties).url
    except Unfillable:
        return
    assert origin_of(url) == "https://fixed.example.com"


@given(st.text())
def test_no_value_ever_leaves_the_two_names_behind_it(subdomain: str) -> None:
    try:
        url = fill("https://{Subdomain}.example.com/", {"Subdomain": subdomain}).url
    except Unfillable:
        return
    assert (origin_of(url) or "").endswith(".example.com")
