"""A token request: by which client, with which secret or key, of a real authorization server."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dispatcher.model.integration import AuthMethod, OutboundCredentials
from tests.authorization_server import AuthorizationServer, Client
from tests.hosts import ProductHost
from tests.raw_server import RawServer
from tests.worker.oauth.token_bench import SEED, Bench, bench, failure_of, for_host, source, value_of
from worker.oauth.client import TokenSource

__all__ = ["bench", "source"]


def pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def test_the_request_is_the_one_of_the_seed(source: TokenSource, product_host: ProductHost) -> None:
    assert await value_of(source, for_host(product_host)) == "token-1"
    request = product_host.tokens.requests[0]
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"123456:S3cre1!").decode()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=client_credentials"


async def test_the_token_uri_is_sent_to_the_byte(source: TokenSource) -> None:
    lines: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines.append(head.split(b"\r\n")[0])
        answer = b'{"access_token":"t","token_type":"Bearer"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    async with RawServer(talk) as host:
        credentials = replace(SEED, token_uri=f"{host.url}/t%2Fenant/../token?api-version=2%3B1&x=%")
        assert await value_of(source, credentials) == "t"
    assert lines == [b"POST /t%2Fenant/../token?api-version=2%3B1&x=%25 HTTP/1.1"]


AWKWARD = ["S3cre1!", "a:b%c+d e/f=&g", "pässwörd ☃", "abc+/==", "'*()~-._"]


@pytest.mark.parametrize("secret", AWKWARD)
@pytest.mark.parametrize("method", [AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST])
async def test_a_real_server_accepts_any_secret(
    source: TokenSource, authorization_server: AuthorizationServer, secret: str, method: AuthMethod
) -> None:
    authorization_server.register(Client("cli:ent", method.value, secret=secret, scope="notify read"))
    credentials = replace(
        SEED,
        client_id="cli:ent",
        client_secret=secret,
        token_uri=authorization_server.token_url,
        auth_method=method,
        scope="read notify",
        audience="https://host.example",
        resource="https://host.example/in",
    )
    assert await value_of(source, credentials) == authorization_server.granted[0]["access_token"]
    form = authorization_server.forms[0]
    assert form["audience"] == "https://host.example"
    assert form["resource"] == "https://host.example/in"
    assert set(authorization_server.granted[0]["scope"].split()) == {"read", "notify"}


KEYS: dict[str, tuple[PrivateKeyTypes, type[RSAKey] | type[ECKey] | type[OKPKey], str]] = {
    "RSA": (rsa.generate_private_key(65537, 2048), RSAKey, "RS256"),
    "P-256": (ec.generate_private_key(ec.SECP256R1()), ECKey, "ES256"),
    "P-384": (ec.generate_private_key(ec.SECP384R1()), ECKey, "ES384"),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate(), OKPKey, "EdDSA"),
}


@pytest.mark.parametrize("form", ["PEM", "JWK"])
@pytest.mark.parametrize("kind", KEYS)
async def test_a_real_server_accepts_private_key_jwt(
    source: TokenSource, authorization_server: AuthorizationServer, kind: str, form: str
) -> None:
    raw, importer, algorithm = KEYS[kind]
    key = importer.import_key(pem(raw))
    public = importer.import_key(key.as_dict(private=False))
    authorization_server.register(Client("signer", "private_key_jwt", public_key=public))
    credentials = replace(
        SEED,
        client_id="signer",
        client_secret="",
        token_uri=authorization_server.token_url,
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        private_key=pem(raw) if form == "PEM" else json.dumps(key.as_dict(private=True)),
        key_id="key-7",
    )
    assert await value_of(source, credentials)
    assertion = authorization_server.assertions[0]
    assert assertion["header"] == {"alg": algorithm, "kid": "key-7", "typ": "JWT"} | assertion["header"]
    assert assertion["claims"]["exp"] - assertion["claims"]["iat"] == 300


def signing(server: AuthorizationServer, key: str, **more: Any) -> OutboundCredentials:
    return replace(
        SEED,
        client_id="signer",
        client_secret="",
        token_uri=server.token_url,
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        private_key=key,
        **more,
    )


@pytest.mark.parametrize("audience", ["https://issuer.example", "urn:issuer:1", None])
async def test_the_assertion_is_for_the_audience_that_the_publisher_chose(
    source: TokenSource, authorization_server: AuthorizationServer, audience: str | None
) -> None:
    raw, importer, _ = KEYS["P-256"]
    public = importer.import_key(importer.import_key(pem(raw)).as_dict(private=False))
    authorization_server.register(Client("signer", "private_key_jwt", public_key=public))
    authorization_server.issuer = audience or ""
    assert await value_of(source, signing(authorization_server, pem(raw), assertion_audience=audience))
    assert authorization_server.assertions[0]["claims"]["aud"] == (audience or authorization_server.token_url)
    other = "https://other.example" if audience else "https://issuer.example"
    failure = await failure_of(source, signing(authorization_server, pem(raw), assertion_audience=other))
    assert failure.code == "UNAUTHORIZED"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
async def test_an_rsa_key_as_pem_signs_with_the_algorithm_of_choice(
    source: TokenSource, authorization_server: AuthorizationServer, algorithm: str
) -> None:
    raw, importer, _ = KEYS["RSA"]
    public = importer.import_key(importer.import_key(pem(raw)).as_dict(private=False))
    authorization_server.register(Client("signer", "private_key_jwt", public_key=public))
    authorization_server.algorithms = [algorithm]
    assert await value_of(source, signing(authorization_server, pem(raw), assertion_algorithm=algorithm))
    assert authorization_server.assertions[0]["header"]["alg"] == algorithm


async def test_a_choice_for_rsa_changes_nothing_of_other_keys_or_of_a_jwk_that_names_its_own(
    source: TokenSource, authorization_server: AuthorizationServer
) -> None:
    raw, importer, _ = KEYS["P-256"]
    public = importer.import_key(importer.import_key(pem(raw)).as_dict(private=False))
    authorization_server.register(Client("signer", "private_key_jwt", public_key=public))
    assert await value_of(source, signing(authorization_server, pem(raw), assertion_algorithm="PS256"))
    rsa_raw, rsa_importer, _ = KEYS["RSA"]
    jwk = rsa_importer.import_key(pem(rsa_raw)).as_dict(private=True) | {"alg": "RS256"}
    authorization_server.clients["signer"].public_key = rsa_importer.import_key(
        rsa_importer.import_key(pem(rsa_raw)).as_dict(private=False)
    )
    assert await value_of(source, signing(authorization_server, json.dumps(jwk), assertion_algorithm="PS256"))
    assert [one["header"]["alg"] for one in authorization_server.assertions] == ["ES256", "RS256"]


async def test_a_token_request_over_a_dead_connection_is_built_anew(source: TokenSource, bench: Bench) -> None:
    """An assertion is good for one use: a repeat with the same jti would be refused."""
    forms: list[dict[str, str]] = []
    answer = b'{"access_token":"t","token_type":"Bearer","expires_in":0}'

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for turn in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            forms.append(dict(parse_qsl((await reader.readexactly(length)).decode())))
            if turn == 0:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    async with RawServer(talk) as host:
        credentials = replace(
            SEED, token_uri=f"{host.url}/t", auth_method=AuthMethod.PRIVATE_KEY_JWT, private_key=pem(KEYS["P-256"][0])
        )
        for _ in range(2):
            assert await value_of(source, credentials) == "t"
    assert len(forms) == 3
    assert len({form["client_assertion"] for form in forms}) == 3
    assert bench.counted == [True, True]


async def test_every_assertion_has_its_own_jti(source: TokenSource, authorization_server: AuthorizationServer) -> None:
    raw = KEYS["P-256"][0]
    public = ECKey.import_key(ECKey.import_key(pem(raw)).as_dict(private=False))
    authorization_server.register(Client("signer", "private_key_jwt", public_key=public))
    for scope in ("a", "b"):
        credentials = replace(
            SEED,
            client_id="signer",
            token_uri=authorization_server.token_url,
            auth_method=AuthMethod.PRIVATE_KEY_JWT,
            private_key=pem(raw),
        )
        await value_of(source, credentials, scope)
    assert len(authorization_server.used_jtis) == 2


UNREADABLE_KEYS = [
    "",
    "garbage",
    '{"kty":"oct","k":"c2VjcmV0"}',
    '{"kty":"RSA"}',
    "{",
    "-----BEGIN PRIVATE KEY-----\nAA",
]


@pytest.mark.parametrize("key", UNREADABLE_KEYS)
async def test_an_unreadable_key_is_a_failure_that_repeats_nothing_of_it(
    source: TokenSource, product_host: ProductHost, key: str
) -> None:
    credentials = for_host(product_host, auth_method=AuthMethod.PRIVATE_KEY_JWT, private_key=key)
    failure = await failure_of(source, credentials)
    assert failure.code == "CONFIGURATION_ERROR"
    assert "PEM or JWK" in failure.detail
    assert product_host.tokens.requests == []


async def test_a_real_server_refusing_the_secret_is_told_as_unauthorized(
    source: TokenSource, authorization_server: AuthorizationServer
) -> None:
    authorization_server.register(Client("123456", "client_secret_basic", secret="another"))
    failure = await failure_of(source, replace(SEED, token_uri=authorization_server.token_url))
    assert (failure.code, "invalid_client" in failure.detail) == ("UNAUTHORIZED", True)
    assert "S3cre1!" not in failure.detail
