"""Tokens from a real authorization server and a scripted one, shared through a real Redis."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey
from redis.asyncio import Redis

from dispatcher.model.integration import AuthMethod, CredentialType, OutboundCredentials
from dispatcher.store.sealing import Sealer, new_key
from dispatcher.store.tokens import TokenStore
from tests.authorization_server import AuthorizationServer, Client
from tests.hosts import ProductHost, Reply
from worker.session import guarded_session
from worker.tokens import Token, TokenFailure, TokenSource, fingerprint, token_source
from worker.transport_sessions import TransportSessions

SEED = OutboundCredentials(CredentialType.OAUTH2, client_id="123456", client_secret="S3cre1!")


@dataclass
class Moment:
    """A clock that a test moves."""

    now_s: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Bench:
    """Everything that one worker process needs for tokens; ``process`` makes another process's view."""

    sessions: TransportSessions
    store: TokenStore
    clock: Moment
    counted: list[bool] = field(default_factory=list)

    def process(self) -> TokenSource:
        return token_source(self.sessions, self.store, self.clock, on_fetch=self.counted.append)


@pytest.fixture
async def bench(redis: Redis) -> AsyncIterator[Bench]:
    async with guarded_session(lambda _: None) as session:
        yield Bench(TransportSessions(session, lambda *_: session), TokenStore(redis, Sealer([new_key()])), Moment())


@pytest.fixture
async def source(bench: Bench) -> AsyncIterator[TokenSource]:
    process = bench.process()
    yield process
    await process.close()


def for_host(host: ProductHost, **changes: Any) -> OutboundCredentials:
    return replace(SEED, token_uri=host.token_url, **changes)


async def value_of(source: TokenSource, credentials: OutboundCredentials, scope: str = "i") -> str:
    token = await source.token(credentials, scope)
    assert isinstance(token, Token), token
    return token.value


async def asked(host: ProductHost, count: int) -> None:
    """Until so many requests for a token have arrived."""
    async with asyncio.timeout(10):
        while len(host.tokens.requests) < count:
            await asyncio.sleep(0.005)


async def failure_of(source: TokenSource, credentials: OutboundCredentials) -> TokenFailure:
    failure = await source.token(credentials, "i")
    assert isinstance(failure, TokenFailure), failure
    return failure


def pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


# What is sent


async def test_the_request_is_the_one_of_the_seed(source: TokenSource, product_host: ProductHost) -> None:
    assert await value_of(source, for_host(product_host)) == "token-1"
    request = product_host.tokens.requests[0]
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"123456:S3cre1!").decode()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=client_credentials"


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


# The cache


async def test_five_hundred_at_once_make_one_request_and_five_hundred_refusals_one_more(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    product_host.tokens.delay_s = 0.05
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    tokens = await asyncio.gather(*(source.token(credentials, "i") for _ in range(500)))
    assert {token.value for token in tokens if isinstance(token, Token)} == {"token-1"}
    assert sum(token.fetched for token in tokens if isinstance(token, Token)) == 1

    async def refused() -> str:
        assert await source.rejected(key, "token-1")
        return await value_of(source, credentials)

    assert set(await asyncio.gather(*(refused() for _ in range(500)))) == {"token-2"}
    assert bench.counted == [True, True]


async def test_a_cached_token_is_there_without_waiting(source: TokenSource, product_host: ProductHost) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    assert source.cached(key) is None
    await value_of(source, credentials)
    assert source.cached(key) == "token-1"


async def test_processes_share_a_token_through_redis(bench: Bench, product_host: ProductHost) -> None:
    product_host.tokens.delay_s = 0.2
    processes = [bench.process() for _ in range(5)]
    credentials = for_host(product_host)
    assert set(await asyncio.gather(*(value_of(one, credentials) for one in processes))) == {"token-1"}
    assert len(product_host.tokens.requests) == 1
    late = await bench.process().token(credentials, "i")
    assert late == Token("token-1", bench.clock() + 3600, fetched=False)


async def test_a_lock_whose_holder_died_is_waited_for_no_longer_than_it_lives(
    bench: Bench, source: TokenSource, product_host: ProductHost, redis: Redis
) -> None:
    credentials = for_host(product_host)
    await bench.store.lock(fingerprint(credentials, "i"), "a worker that died")
    (lock,) = await redis.keys("token-lock:*")
    await redis.pexpire(lock, 300)
    assert await value_of(source, credentials) == "token-1"


async def test_nothing_readable_reaches_redis(source: TokenSource, product_host: ProductHost, redis: Redis) -> None:
    await value_of(source, for_host(product_host))
    (key,) = await redis.keys("*")
    assert key.startswith(b"token:")
    assert 3_500_000 < await redis.pttl(key) <= 3_600_000
    stored = await redis.get(key)
    assert b"token-1" not in stored
    assert b"S3cre1!" not in stored


@pytest.mark.parametrize("garbage", ["v1.00000000.AAAA", "garbage", b"\xff\xfe"])
async def test_a_value_that_cannot_be_opened_is_fetched_again(
    bench: Bench, product_host: ProductHost, redis: Redis, garbage: str | bytes
) -> None:
    credentials = for_host(product_host)
    await value_of(bench.process(), credentials)
    (key,) = await redis.keys("*")
    await redis.set(key, garbage)
    assert await value_of(bench.process(), credentials) == "token-2"


async def test_ft28_a_key_of_a_wrong_type_does_not_stop_tokens(
    bench: Bench, product_host: ProductHost, redis: Redis
) -> None:
    credentials = for_host(product_host)
    await value_of(bench.process(), credentials)
    (key,) = await redis.keys("*")
    await redis.delete(key)
    await redis.sadd(key, "by hand")  # type: ignore[misc]
    assert await value_of(bench.process(), credentials) == "token-2"


async def test_tokens_are_fetched_while_redis_is_away(bench: Bench, product_host: ProductHost) -> None:
    away = Redis(unix_socket_path="/nonexistent/socket")
    bench.store = TokenStore(away, Sealer([new_key()]))
    source = bench.process()
    credentials = for_host(product_host)
    assert await value_of(source, credentials) == "token-1"
    assert await source.rejected(fingerprint(credentials, "i"), "token-1")
    assert await value_of(source, credentials) == "token-2"
    await away.aclose()


DIFFERENCES: list[dict[str, Any]] = [
    {"client_id": "other"},
    {"client_secret": "rotated"},
    {"auth_method": AuthMethod.CLIENT_SECRET_POST},
    {"scope": "read"},
    {"audience": "https://a.example"},
    {"resource": "https://r.example"},
    {"key_id": "k2"},
    {"token_uri": "https://elsewhere.example/token"},
]


@pytest.mark.parametrize("change", DIFFERENCES, ids=lambda change: next(iter(change)))
def test_any_change_of_the_credentials_names_another_token(change: dict[str, Any]) -> None:
    assert fingerprint(replace(SEED, **change), "i") != fingerprint(SEED, "i")


def test_tenants_never_share_a_token_and_the_order_of_scopes_does_not_matter() -> None:
    assert fingerprint(SEED, "i") != fingerprint(SEED, "j")
    assert fingerprint(replace(SEED, scope="a b"), "i") == fingerprint(replace(SEED, scope="b a"), "i")


async def test_a_fetch_that_outlives_a_rotation_does_not_replace_the_new_token(
    source: TokenSource, product_host: ProductHost
) -> None:
    product_host.tokens.delay_s = 0.1
    old, new = for_host(product_host), for_host(product_host, client_secret="rotated")
    slow = asyncio.create_task(source.token(old, "i"))
    await asked(product_host, 1)
    product_host.tokens.delay_s = 0
    assert await value_of(source, new) == "token-2"
    await slow
    assert await value_of(source, new) == "token-2"


async def test_a_waiter_that_gives_up_does_not_end_the_fetch(source: TokenSource, product_host: ProductHost) -> None:
    product_host.tokens.delay_s = 0.1
    credentials = for_host(product_host)
    hasty = asyncio.create_task(source.token(credentials, "i"))
    patient = asyncio.create_task(source.token(credentials, "i"))
    await asked(product_host, 1)
    hasty.cancel()
    token = await patient
    assert isinstance(token, Token)
    assert len(product_host.tokens.requests) == 1


# Lifetime


@pytest.mark.parametrize(("lifetime_s", "still_cached_s"), [(3600, 3100), (600, 500), (60, 29), (10, 4), (1, 0.4)])
async def test_a_token_is_cached_for_most_of_its_life(
    bench: Bench, source: TokenSource, product_host: ProductHost, lifetime_s: int, still_cached_s: float
) -> None:
    product_host.tokens.expires_in = lifetime_s
    credentials = for_host(product_host)
    await value_of(source, credentials)
    bench.clock.now_s += still_cached_s
    assert source.cached(fingerprint(credentials, "i")) == "token-1"
    bench.clock.now_s += lifetime_s
    assert source.cached(fingerprint(credentials, "i")) is None
    assert await value_of(source, credentials) == "token-2"


async def test_a_refresh_ahead_of_expiry_keeps_nobody_waiting(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    await value_of(source, credentials)
    product_host.tokens.delay_s = 0.1
    bench.clock.now_s += 3590
    during = await asyncio.gather(*(value_of(source, credentials) for _ in range(50)))
    assert set(during) == {"token-1"}
    async with asyncio.timeout(10):
        while source.cached(fingerprint(credentials, "i")) != "token-2":
            await asyncio.sleep(0.01)
    assert len(product_host.tokens.requests) == 2


async def test_a_failed_refresh_leaves_the_token_that_still_works(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    await value_of(source, credentials)
    product_host.tokens.replies.append(Reply(500, b""))
    bench.clock.now_s += 3590
    for _ in range(5):
        assert await value_of(source, credentials) == "token-1"
        async with asyncio.timeout(10):
            while source._flights:
                await asyncio.sleep(0.01)
    assert len(product_host.tokens.requests) == 2
    bench.clock.now_s += 10
    assert await value_of(source, credentials) == "token-3"


@pytest.mark.parametrize("expires_in", [None, 0, -5, "soon", True, [], {}])
async def test_without_a_lifetime_a_token_serves_one_attempt(
    source: TokenSource, product_host: ProductHost, redis: Redis, expires_in: Any
) -> None:
    product_host.tokens.expires_in = expires_in
    credentials = for_host(product_host)
    assert [await value_of(source, credentials) for _ in range(2)] == ["token-1", "token-2"]
    assert await redis.keys("*") == []


@pytest.mark.parametrize(("expires_in", "lifetime_s"), [("600", 600), (600.9, 600), (10**30, 86400), (1e300, 86400)])
async def test_odd_lifetimes_are_read_within_a_day(
    bench: Bench, source: TokenSource, product_host: ProductHost, expires_in: Any, lifetime_s: int
) -> None:
    product_host.tokens.expires_in = expires_in
    assert await source.token(for_host(product_host), "i") == Token("token-1", bench.clock() + lifetime_s, fetched=True)


# Refusals by the host


async def test_a_late_refusal_of_an_old_token_does_not_drop_the_new_one(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    await value_of(source, credentials)
    assert await source.rejected(key, "token-1")
    assert await value_of(source, credentials) == "token-2"
    assert await source.rejected(key, "token-1")
    assert source.cached(key) == "token-2"
    assert await bench.store.drop(key, "token-1") is False


async def test_a_host_that_refuses_every_token_causes_one_extra_request_in_thirty_seconds(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    for _ in range(20):
        while await source.rejected(key, await value_of(source, credentials)):
            pass
        bench.clock.now_s += 1
    assert len(product_host.tokens.requests) == 2
    bench.clock.now_s += 30
    assert await source.rejected(key, await value_of(source, credentials))
    assert await value_of(source, credentials) == "token-3"


async def test_a_proven_token_that_is_revoked_at_once_is_replaced(
    source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    for number in range(1, 5):
        assert await value_of(source, credentials) == f"token-{number}"
        source.accepted(key)
        assert await source.rejected(key, f"token-{number}")


async def test_a_token_that_another_process_has_replaced_is_taken_from_redis(
    bench: Bench, product_host: ProductHost
) -> None:
    first, second = bench.process(), bench.process()
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    for process in (first, second):
        assert await value_of(process, credentials) == "token-1"
    for process in (first, second):
        assert await process.rejected(key, "token-1")
        assert await value_of(process, credentials) == "token-2"
    assert len(product_host.tokens.requests) == 2


# Endpoints that fail


async def test_ft35_a_failing_endpoint_is_asked_once_in_five_seconds(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    product_host.tokens.replies.extend([Reply(500, b"")] * 2)
    credentials = for_host(product_host)
    for _ in range(10):
        failures = await asyncio.gather(*(source.token(credentials, "i") for _ in range(20)))
        assert {type(failure) for failure in failures} == {TokenFailure}
        bench.clock.now_s += 0.4
    assert len(product_host.tokens.requests) == 1
    bench.clock.now_s += 2
    await failure_of(source, credentials)
    bench.clock.now_s += 5
    assert await value_of(source, credentials) == "token-3"
    assert bench.counted == [False, False, True]


async def test_ft35_retry_after_of_the_endpoint_is_honoured(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    product_host.tokens.replies.append(Reply.of(503, retry_after="120"))
    credentials = for_host(product_host)
    assert (await failure_of(source, credentials)).retry_after_s == 120
    bench.clock.now_s += 119
    assert (await failure_of(source, credentials)).retry_after_s == pytest.approx(1)
    bench.clock.now_s += 1.1
    assert await value_of(source, credentials) == "token-2"


def granted(**changes: Any) -> Reply:
    return Reply.of(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 60} | changes)


HOSTILE: dict[str, tuple[Reply, str]] = {
    "HTML": (Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}), "INVALID_RESPONSE"),
    "empty": (Reply(200, b""), "INVALID_RESPONSE"),
    "array": (Reply(200, b"[]"), "INVALID_RESPONSE"),
    "too deep": (Reply(200, b"[" * 5000), "INVALID_RESPONSE"),
    "no token": (granted(access_token=None), "INVALID_RESPONSE"),
    "token is a number": (granted(access_token=1), "INVALID_RESPONSE"),
    "CR LF in token": (granted(access_token="t\r\nX-Evil: 1"), "INVALID_RESPONSE"),
    "space in token": (granted(access_token="a b"), "INVALID_RESPONSE"),
    "token not ASCII": (granted(access_token="tökén"), "INVALID_RESPONSE"),
    "token of 20 kB": (granted(access_token="t" * 20_000), "INVALID_RESPONSE"),
    "mac": (granted(token_type="mac"), "INVALID_RESPONSE"),
    "type is a number": (granted(token_type=1), "INVALID_RESPONSE"),
    "70 kB": (granted(padding="x" * 70_000), "INVALID_RESPONSE"),
    "compressed": (Reply(200, b"\x1f\x8b\x08", {"Content-Encoding": "gzip"}), "INVALID_RESPONSE"),
    "redirect": (Reply(302, b"", {"Location": "/oauth/token"}), "CONFIGURATION_ERROR"),
    "404": (Reply(404, b"not here"), "CONFIGURATION_ERROR"),
    "401": (Reply(401, b""), "UNAUTHORIZED"),
    "invalid_client": (Reply.of(400, {"error": "invalid_client"}), "UNAUTHORIZED"),
    "invalid_scope": (Reply.of(400, {"error": "invalid_scope"}), "CONFIGURATION_ERROR"),
    "error is an object": (Reply.of(400, {"error": {"a": 1}, "error_description": 7}), "CONFIGURATION_ERROR"),
    "500": (Reply(500, b"oops"), "TRANSPORT_ERROR"),
    "429": (Reply(429, b""), "TRANSPORT_ERROR"),
    "reset": (Reply(reset=True), "TRANSPORT_ERROR"),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_ft35_a_hostile_answer_is_a_failure_with_advice(
    source: TokenSource, product_host: ProductHost, redis: Redis, kind: str
) -> None:
    reply, code = HOSTILE[kind]
    product_host.tokens.replies.append(reply)
    failure = await failure_of(source, for_host(product_host))
    assert failure.code == code
    assert ":" in failure.detail
    assert len(failure.detail) < 500
    assert len(product_host.tokens.requests) == 1
    assert await redis.keys("*") == []


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
async def test_the_case_of_the_token_type_does_not_matter(
    source: TokenSource, product_host: ProductHost, kind: str
) -> None:
    product_host.tokens.replies.append(granted(token_type=kind))
    assert await value_of(source, for_host(product_host)) == "t"


async def test_an_endpoint_that_repeats_the_secret_is_not_quoted(
    source: TokenSource, product_host: ProductHost
) -> None:
    said = {"error": "invalid_client", "error_description": "no client with secret S3cre1!\r\n\x1b[31m"}
    product_host.tokens.replies.append(Reply.of(401, said))
    failure = await failure_of(source, for_host(product_host))
    assert "no client with secret ******" in failure.detail
    assert "\x1b" not in failure.detail


async def test_ft35_an_endpoint_that_never_answers_ends_in_time(
    source: TokenSource, product_host: ProductHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.tokens.REQUEST_TIMEOUT_S", 0.2)
    product_host.tokens.replies.append(Reply(hang=True))
    failure = await failure_of(source, for_host(product_host))
    assert (failure.code, "in time" in failure.detail) == ("TRANSPORT_ERROR", True)


async def test_an_endpoint_that_is_down_cannot_be_connected_to(source: TokenSource, product_host: ProductHost) -> None:
    await product_host.stop()
    failure = await failure_of(source, for_host(product_host))
    assert (failure.code, "connected" in failure.detail) == ("TRANSPORT_ERROR", True)


@pytest.mark.parametrize("uri", ["", "not a url", "ftp://host.example/", "https://xn--/", "http://u:p@127.0.0.1/"])
async def test_an_unusable_token_uri_is_a_configuration_error(source: TokenSource, uri: str) -> None:
    assert (await failure_of(source, replace(SEED, token_uri=uri))).code == "CONFIGURATION_ERROR"


async def test_the_token_endpoint_is_guarded_like_every_host(bench: Bench, product_host: ProductHost) -> None:
    async with guarded_session(lambda ip: "loopback" if ip.is_loopback else None) as session:
        bench.sessions = TransportSessions(session, lambda *_: session)
        failure = await failure_of(bench.process(), for_host(product_host))
    assert (failure.code, "loopback" in failure.detail) == ("CONFIGURATION_ERROR", True)
    assert "127.0.0.1" not in failure.detail
    assert product_host.tokens.requests == []
