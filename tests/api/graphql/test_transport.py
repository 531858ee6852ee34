"""Certificates, keys and proxies of integrations, as publishers set, see and change them."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from pydantic import SecretStr
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, SteppedClock, api_settings
from tests.api.graphql.conftest import Graph, NotedPings, bearer
from tests.serving import asking
from tests.tls_parts import Identity, issue

CREATE = """mutation($transport: TransportInput, $credentials: OutboundCredentialsInput) {
  createProductIntegration(input: {transport: $transport, outboundCredentials: $credentials}) {
    productIntegration { id } warnings userErrors { code path message } } }"""
UPDATE = """mutation($id: ID!, $transport: TransportInput) {
  updateProductIntegration(input: {id: $id, transport: $transport}) {
    productIntegration { id } warnings userErrors { code path message } } }"""
FACTS = "{ subject issuer fingerprint notBefore notAfter }"
SHOWN = f"""transport {{ clientCertificate clientCertificates {FACTS} privateKey
  caCertificates certificateAuthorities {FACTS} proxyUrl proxyUsername proxyPassword }}"""

ROOT = issue("Root CA")
MIDDLE = issue("Middle CA", ROOT)
OWN = issue("shop-1", MIDDLE)
PROXY = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def today(graph: Graph) -> None:
    graph.api.clock.now_s = time.time()


async def created(graph: Graph, **transport: Any) -> Any:
    payload = await graph.data(CREATE, transport=transport)
    assert payload["userErrors"] == [], payload
    return payload["productIntegration"]["id"]


async def updated(graph: Graph, own_id: str, transport: dict[str, Any] | None) -> Any:
    return await graph.data(UPDATE, id=own_id, transport=transport)


async def transport_of(graph: Graph, own_id: str) -> Any:
    return (await graph.shown(own_id, SHOWN))["transport"]


def pair(identity: Identity, **more: str) -> dict[str, str]:
    return {"clientCertificate": identity.pem, "privateKey": identity.key_pem, **more}


async def test_certificate_is_shown_with_its_facts_and_its_key_never(graph: Graph) -> None:
    own_id = await created(graph, **pair(OWN), caCertificates=ROOT.pem)
    shown = await transport_of(graph, own_id)
    assert shown["privateKey"] == "******"
    assert (shown["clientCertificate"], shown["caCertificates"]) == (OWN.pem, ROOT.pem)
    assert [one["subject"] for one in shown["clientCertificates"]] == ["CN=shop-1", "CN=Middle CA"]
    assert [one["subject"] for one in shown["certificateAuthorities"]] == ["CN=Root CA"]
    (first, _) = shown["clientCertificates"]
    assert first["issuer"] == "CN=Middle CA"
    assert len(first["fingerprint"]) == 64
    assert first["notAfter"].endswith("Z")
    stored = b"".join([await graph.api.redis.dump(key) for key in await graph.api.redis.keys("*")])
    assert b"PRIVATE KEY" not in stored


async def test_integration_without_a_transport_shows_null(graph: Graph) -> None:
    assert await transport_of(graph, (await graph.created())["id"]) is None


async def test_transport_is_frozen_with_the_revision(graph: Graph) -> None:
    own_id = await created(graph, **pair(OWN))
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    assert (await updated(graph, own_id, None))["userErrors"] == []
    versions = await graph.shown(own_id, f"working {{ {SHOWN} }} published {{ {SHOWN} }}")
    assert versions["working"]["transport"] is None
    assert versions["published"]["transport"]["clientCertificates"][0]["subject"] == "CN=shop-1"


async def test_masked_key_is_kept_and_a_renewed_certificate_of_it_taken(graph: Graph) -> None:
    own_id = await created(graph, **pair(OWN))
    renewed = issue("shop-1", MIDDLE, key=OWN.key, days=900)
    assert (await updated(graph, own_id, {"clientCertificate": renewed.pem, "privateKey": "******"}))[
        "userErrors"
    ] == []
    other = await updated(graph, own_id, {"clientCertificate": issue("shop-1", MIDDLE).pem})
    assert [(one["code"], one["path"]) for one in other["userErrors"]] == [
        ("invalid_private_key", ["input", "transport", "privateKey"])
    ]
    working = (await graph.api.services.definitions.needed(own_id)).working
    key = graph.api.services.sealer.open(working.transport.private_key, sealed_fields.transport_key(own_id))
    assert key == OWN.key_pem


async def test_clearing_the_certificate_clears_its_key(graph: Graph) -> None:
    own_id = await created(graph, **pair(OWN), proxyUrl=PROXY)
    assert (await updated(graph, own_id, {"clientCertificate": None}))["userErrors"] == []
    shown = await transport_of(graph, own_id)
    assert (shown["clientCertificate"], shown["privateKey"], shown["proxyUrl"]) == (None, None, PROXY)


def encrypted(identity: Identity) -> str:
    return identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()


WEAK = issue("weak", key=rsa.generate_private_key(65537, 1024))
SHORT = issue("short", key=ec.generate_private_key(ec.SECP192R1()))

REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no certificate": (
        {"clientCertificate": "hello", "privateKey": OWN.key_pem},
        "invalid_certificate",
        "clientCertificate",
        "PEM",
    ),
    "a key in its place": (
        {"clientCertificate": OWN.key_pem, "privateKey": OWN.key_pem},
        "invalid_certificate",
        "clientCertificate",
        "put the client certificate's into privateKey",
    ),
    "a key beside it": (
        {"clientCertificate": OWN.pem + OWN.key_pem, "privateKey": OWN.key_pem},
        "invalid_certificate",
        "clientCertificate",
        "put the client certificate's into privateKey",
    ),
    "an encrypted key beside authorities": (
        {"caCertificates": encrypted(OWN) + ROOT.pem},
        "invalid_certificate",
        "caCertificates",
        "put the client certificate's into privateKey",
    ),
    "damaged": (
        {**pair(OWN), "clientCertificate": OWN.pem.replace("MII", "AAA", 1)},
        "invalid_certificate",
        "clientCertificate",
        "PEM",
    ),
    "broken off": (
        {**pair(OWN), "caCertificates": "-----BEGIN CERTIFICATE-----\x00"},
        "invalid_certificate",
        "caCertificates",
        "PEM",
    ),
    "another key": (pair(OWN) | {"privateKey": ROOT.key_pem}, "invalid_private_key", "privateKey", "does not belong"),
    "encrypted": (pair(OWN) | {"privateKey": encrypted(OWN)}, "invalid_private_key", "privateKey", "is encrypted"),
    "no key": (pair(OWN) | {"privateKey": "hello"}, "invalid_private_key", "privateKey", "PEM"),
    "key missing": ({"clientCertificate": OWN.pem}, "required", "privateKey", "private key"),
    "certificate missing": ({"privateKey": OWN.key_pem}, "required", "clientCertificate", "certificate"),
    "chain upside down": (
        pair(OWN) | {"clientCertificate": OWN.pem + MIDDLE.pem + ROOT.pem + OWN.pem},
        "invalid_certificate",
        "clientCertificate",
        "is not the issuer",
    ),
    "weak key": (pair(WEAK), "invalid_certificate", "clientCertificate", "too weak"),
    "short curve": (pair(SHORT), "invalid_certificate", "clientCertificate", "too weak"),
    "too long": ({"caCertificates": ROOT.pem * 200}, "too_long", "caCertificates", "65536"),
    "too many": ({"caCertificates": ROOT.pem * 51}, "limit_reached", "caCertificates", "50"),
    "proxy of another scheme": ({"proxyUrl": "https://proxy.example.com"}, "invalid_url", "proxyUrl", "http://"),
    "socks": ({"proxyUrl": "socks5://proxy.example.com"}, "invalid_url", "proxyUrl", "http://"),
    "proxy with a path": ({"proxyUrl": "http://proxy.example.com/a"}, "invalid_url", "proxyUrl", "path"),
    "proxy inside": ({"proxyUrl": "http://10.0.0.1:3128"}, "url_not_allowed", "proxyUrl", "private"),
    "proxy on a port of Redis": ({"proxyUrl": "http://p.example.com:6379"}, "url_not_allowed", "proxyUrl", "port"),
    "password without proxy": ({"proxyPassword": "x"}, "required", "proxyUrl", "proxy"),
    "user with a colon": ({"proxyUrl": PROXY, "proxyUsername": "a:b"}, "invalid_text", "proxyUsername", "colon"),
    "password with a line": ({"proxyUrl": PROXY, "proxyPassword": "a\r\nb"}, "invalid_text", "proxyPassword", "print"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_work_is_refused_with_its_field(graph: Graph, case: str) -> None:
    transport, code, field, told = REFUSED[case]
    payload = await graph.data(CREATE, transport=transport)
    errors = [one for one in payload["userErrors"] if one["code"] == code]
    assert payload["productIntegration"] is None
    assert [one["path"] for one in errors] == [["input", "transport", field]], payload
    assert told in errors[0]["message"]
    assert "PRIVATE KEY" not in str(payload)


async def test_an_authority_that_may_not_issue_is_saved_with_a_warning_that_says_why(graph: Graph) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")]), datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=90))
    root = builder.add_extension(x509.BasicConstraints(False, None), critical=True).sign(key, hashes.SHA256())
    payload = await graph.data(CREATE, transport={"caCertificates": root.public_bytes(Encoding.PEM).decode()})
    assert payload["userErrors"] == []
    (warning,) = payload["warnings"]
    assert "(CN=root) may not issue others: its basicConstraints say CA:FALSE." in warning


@pytest.mark.parametrize(("secret", "taken"), [("S3cre1!\n", True), (" S3cre1!", True), ("S3c\nre1!", False)])
async def test_a_secret_as_it_was_pasted_is_warned_of_or_refused(graph: Graph, secret: str, taken: bool) -> None:
    basic = {"type": "BASIC", "clientId": "shop", "clientSecret": secret}
    payload = await graph.data(CREATE, credentials=basic)
    assert [one["code"] for one in payload["userErrors"]] == ([] if taken else ["invalid_text"])
    assert len(payload["warnings"]) == (1 if taken else 0)
    assert "S3c" not in str(payload)


async def test_certificate_that_does_not_hold_is_saved_with_a_warning(graph: Graph) -> None:
    for identity, told in (
        (issue("late", days=-1), "has expired"),
        (issue("early", started_days_ago=-5), "is not valid yet"),
        (issue("soon", days=3), "ends within 14 days"),
    ):
        payload = await graph.data(CREATE, transport=pair(identity))
        assert payload["userErrors"] == []
        (warning,) = payload["warnings"]
        assert told in warning
    assert (await graph.data(CREATE, transport=pair(OWN)))["warnings"] == []


async def test_credentials_in_the_proxys_url_are_taken_out_of_it_and_sealed(graph: Graph) -> None:
    own_id = await created(graph, proxyUrl="http://me:s3cret%40@proxy.example.com:3128")
    shown = await transport_of(graph, own_id)
    assert (shown["proxyUrl"], shown["proxyUsername"], shown["proxyPassword"]) == (PROXY, "me", "******")
    working = (await graph.api.services.definitions.needed(own_id)).working
    password = graph.api.services.sealer.open(working.transport.proxy_password, sealed_fields.proxy_password(own_id))
    assert password == "s3cret@"


async def test_password_does_not_follow_the_proxy_to_another_host(graph: Graph) -> None:
    own_id = await created(graph, proxyUrl=PROXY, proxyUsername="me", proxyPassword="s3cret")
    moved = await updated(graph, own_id, {"proxyUrl": "http://elsewhere.example.com:3128"})
    assert [(one["code"], one["path"][-1]) for one in moved["userErrors"]] == [("required", "proxyPassword")]
    again = {"proxyUrl": "http://elsewhere.example.com:3128", "proxyPassword": "s3cret2"}
    assert (await updated(graph, own_id, again))["userErrors"] == []
    assert (await updated(graph, own_id, {"proxyUrl": None}))["userErrors"] == []
    assert await transport_of(graph, own_id) is None


async def test_deployments_own_proxy_leaves_no_room_for_another(redis: Redis, signing_key: str) -> None:
    await SigningKeyStore(redis).offer(signing_key)
    settings = api_settings().model_copy(update={"proxy_url": SecretStr(PROXY)})
    clock = SteppedClock()
    app = await build_app(settings, redis, clock=clock)
    async with asking(app) as http:
        api = Api(http, app[SERVICES], clock, redis)
        api.headers = await bearer(http, ADMIN_ID, ADMIN_SECRET)
        payload = await Graph(api, NotedPings()).data(CREATE, transport={"proxyUrl": PROXY})
    assert [one["code"] for one in payload["userErrors"]] == ["url_not_allowed"]
    assert "DISPATCHER_PROXY_URL" in payload["userErrors"][0]["message"]


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
async def test_credentials_by_certificate_need_no_secret_but_a_certificate_and_tls(graph: Graph, method: str) -> None:
    credentials = {"type": "OAUTH2", "clientId": "shop", "tokenUri": "https://login.example.com/", "authMethod": method}
    assert (await graph.data(CREATE, credentials=credentials, transport=pair(OWN)))["userErrors"] == []
    without = await graph.data(CREATE, credentials=credentials)
    assert [(one["code"], one["path"]) for one in without["userErrors"]] == [
        ("required", ["input", "transport", "clientCertificate"])
    ]
    plain = credentials | {"tokenUri": "http://login.example.com/"}
    refused = await graph.data(CREATE, credentials=plain, transport=pair(OWN))
    assert [(one["code"], one["path"][-1]) for one in refused["userErrors"]] == [("url_not_allowed", "tokenUri")]
