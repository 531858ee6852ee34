"""Places that a saved secret may go to: every pair of a secret and what moves it, and what moves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model.event_type import URL_FIELDS
from dispatcher.model.integration import (
    AuthMethod,
    CredentialType,
    Header,
    OutboundCredentials,
    Revision,
    Transport,
)
from dispatcher.policy.secrets.secret_places import (
    CLIENT_SECRET,
    PRIVATE_KEY,
    PROXY_PASSWORD,
    TRANSPORT_KEY,
    bound,
    header,
    misplaced,
    places,
    rebound,
)

HOST, EVIL = "https://shop.example.com/notify", "https://evil.example.com/notify"
TOKENS = "https://login.example.com/token"
PROXY = "http://proxy.example.com:3128"
NONE: frozenset[str] = frozenset()

OAUTH2 = OutboundCredentials(CredentialType.OAUTH2, "c", "sealed", TOKENS)
SIGNED = replace(OAUTH2, auth_method=AuthMethod.PRIVATE_KEY_JWT, private_key="sealed", client_secret="", audience="a")
BY_CERTIFICATE = replace(OAUTH2, auth_method=AuthMethod.TLS_CLIENT_AUTH, client_secret="")
BASIC = OutboundCredentials(CredentialType.BASIC, "c", "sealed")
SENT = (Header("X-Key", "sealed", secret=True),)
URLS = {"createUrl": HOST, "cancelUrl": "https://other.example.com"}
MUTUAL = Transport(client_certificate="PEM", private_key="sealed")
THROUGH = Transport(proxy_url=PROXY, proxy_username="u", proxy_password="sealed")


def saved(**fields: Any) -> Revision:
    """A version whose secrets were given with it."""
    return rebound(Revision(), Revision(urls=URLS, **fields), NONE)[0]


def moved(before: Revision, **changes: Any) -> set[str]:
    return set(rebound(before, replace(before, **changes), NONE)[1])


PAIRS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a client secret", {"credentials": OAUTH2}, {"credentials": replace(OAUTH2, token_uri=EVIL)}, CLIENT_SECRET),
    (
        "a client secret and plain http",
        {"credentials": OAUTH2},
        {"credentials": replace(OAUTH2, token_uri=TOKENS.replace("https", "http"))},
        CLIENT_SECRET,
    ),
    (
        "a client secret and another port",
        {"credentials": OAUTH2},
        {"credentials": replace(OAUTH2, token_uri="https://login.example.com:8443/token")},
        CLIENT_SECRET,
    ),
    (
        "a client secret and its method",
        {"credentials": OAUTH2},
        {"credentials": replace(OAUTH2, auth_method=AuthMethod.CLIENT_SECRET_POST)},
        CLIENT_SECRET,
    ),
    ("a client secret and a proxy", {"credentials": OAUTH2}, {"transport": Transport(proxy_url=PROXY)}, CLIENT_SECRET),
    (
        "a client secret and authorities",
        {"credentials": OAUTH2},
        {"transport": Transport(ca_certificates="PEM")},
        CLIENT_SECRET,
    ),
    ("a client secret as a password", {"credentials": OAUTH2}, {"credentials": BASIC}, CLIENT_SECRET),
    ("a password as a client secret", {"credentials": BASIC}, {"credentials": OAUTH2}, CLIENT_SECRET),
    ("a password and a proxy", {"credentials": BASIC}, {"transport": Transport(proxy_url=PROXY)}, CLIENT_SECRET),
    ("a signing key", {"credentials": SIGNED}, {"credentials": replace(SIGNED, token_uri=EVIL)}, PRIVATE_KEY),
    (
        "a signing key and its audience",
        {"credentials": SIGNED},
        {"credentials": replace(SIGNED, audience="b")},
        PRIVATE_KEY,
    ),
    (
        "a signing key and its assertion's audience",
        {"credentials": SIGNED},
        {"credentials": replace(SIGNED, assertion_audience="b")},
        PRIVATE_KEY,
    ),
    (
        "a proxy's password",
        {"transport": THROUGH},
        {"transport": replace(THROUGH, proxy_url="http://evil.example.com:3128")},
        PROXY_PASSWORD,
    ),
    ("a header and a proxy", {"headers": SENT}, {"transport": Transport(proxy_url=PROXY)}, header("X-Key")),
    ("a header and authorities", {"headers": SENT}, {"transport": Transport(ca_certificates="P")}, header("X-Key")),
    *(
        (f"{what} and {url}", fields, {"urls": URLS | {url: EVIL}}, name)
        for url in URL_FIELDS
        for what, fields, name in (
            ("a password", {"credentials": BASIC}, CLIENT_SECRET),
            ("a client secret's token", {"credentials": OAUTH2}, CLIENT_SECRET),
            ("a signing key's token", {"credentials": SIGNED}, PRIVATE_KEY),
            ("a certificate's token", {"credentials": BY_CERTIFICATE, "transport": MUTUAL}, TRANSPORT_KEY),
            ("a header", {"headers": SENT}, header("x-key")),
        )
    ),
]


@pytest.mark.parametrize(("fields", "change", "name"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_a_kept_secret_is_told_when_it_would_go_elsewhere(
    fields: dict[str, Any], change: dict[str, Any], name: str
) -> None:
    before = saved(**fields)
    assert moved(before, **change) == {name}
    after = replace(before, **change)
    assert misplaced(after) == [name]
    again, nothing = rebound(before, after, frozenset({name}))
    assert nothing == {}
    assert misplaced(again) == []


@pytest.mark.parametrize(("fields", "change", "name"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_clearing_the_place_first_does_not_let_a_secret_go_elsewhere_later(
    fields: dict[str, Any], change: dict[str, Any], name: str
) -> None:
    before = saved(**fields)
    empty = OutboundCredentials(client_secret="sealed", private_key=before.credentials.private_key)
    cleared = replace(before, urls={}, credentials=empty, transport=replace(before.transport, proxy_url=""))
    between, nothing = rebound(before, cleared, NONE)
    assert nothing == {}
    held = {"credentials": before.credentials, "transport": before.transport, "urls": before.urls}
    if name in places(between):
        assert name in moved(between, **(held | change))


@pytest.mark.parametrize("fields", [pair[1] for pair in PAIRS[:13]], ids=[pair[0] for pair in PAIRS[:13]])
@pytest.mark.parametrize(
    "change",
    [
        {"urls": {"createUrl": HOST}},
        {"urls": {}},
        {"urls": URLS | {"notifyUrl": "https://SHOP.example.com:443/another/path?and=query"}},
        {"credentials": OutboundCredentials(client_secret="sealed", private_key="")},
        {"filter": {"type": "SUBSCRIPTION_ORDER"}, "answers": "ack"},
        {"headers": ()},
    ],
)
def test_a_path_alone_less_and_what_sends_nothing_move_nothing(fields: dict[str, Any], change: dict[str, Any]) -> None:
    assert moved(saved(**fields), **change) == set()


def test_what_is_never_sent_is_bound_to_nothing() -> None:
    """A key of mutual TLS proves who connects and stays here."""
    before = saved(transport=MUTUAL)
    assert moved(before, urls={"createUrl": EVIL}) == set()
    assert places(before) == {TRANSPORT_KEY: NONE}


def test_a_token_endpoints_path_and_the_proxys_user_move_nothing() -> None:
    before = saved(credentials=OAUTH2, transport=THROUGH)
    assert moved(before, credentials=replace(OAUTH2, token_uri="https://login.example.com/other")) == set()
    assert moved(before, credentials=replace(OAUTH2, client_id="d", scope="s")) == set()
    assert moved(before, transport=replace(THROUGH, proxy_username="v")) == set()
    assert moved(before, transport=Transport(proxy_password="sealed")) == set()


def test_a_secret_of_before_places_were_kept_is_bound_to_where_it_goes() -> None:
    before = Revision(urls=URLS, credentials=OAUTH2, headers=SENT)
    assert bound(before) == places(before)
    assert misplaced(before) == []
    assert moved(before, urls={"createUrl": EVIL}) == {CLIENT_SECRET, header("x-key")}
    cleared, nothing = rebound(before, replace(before, urls={}), NONE)
    assert nothing == {}
    assert moved(cleared, urls={"createUrl": EVIL}) == {CLIENT_SECRET, header("x-key")}
    assert moved(cleared, urls=URLS) == set()


def test_places_go_with_their_secrets() -> None:
    before = saved(headers=SENT)
    assert set(before.places) == {header("x-key")}
    after, _ = rebound(before, replace(before, headers=()), NONE)
    assert after.places == {}


def test_a_url_with_variables_is_a_place_as_it_is_written() -> None:
    before = saved(headers=SENT)
    within = replace(before, urls={"createUrl": "https://{Sub}.example.com/in"})
    bound_to_it, _ = rebound(before, within, frozenset({header("x-key")}))
    assert moved(bound_to_it, urls={"createUrl": "https://{Sub}.example.com/other"}) == set()
    assert moved(bound_to_it, urls={"createUrl": "https://{Sub}.example.net/in"}) == {header("x-key")}
