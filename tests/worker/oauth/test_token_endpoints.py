"""Token endpoints that fail, are hostile, silent or away: a typed failure with advice, asked again in time."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.hosts import ProductHost, Reply
from tests.worker.oauth.token_bench import SEED, Bench, bench, failure_of, for_host, source, value_of
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.transport_sessions import TransportSessions
from worker.oauth.client import TokenFailure, TokenSource

__all__ = ["bench", "source"]


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
    monkeypatch.setattr("worker.oauth.client.REQUEST_TIMEOUT_S", 0.2)
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


def spoken(document: Any, charset: str, content_type: str = "application/json") -> Reply:
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(charset), {"Content-Type": content_type})


GRANT = {"access_token": "t", "token_type": "Bearer", "expires_in": 60, "note": "für"}
READ: dict[str, Reply] = {
    "a byte order mark": spoken(GRANT, "utf-8-sig"),
    "UTF-16": spoken(GRANT, "utf-16"),
    "UTF-16 by its declaration": spoken(GRANT, "utf-16-be", "application/json; charset=utf-16be"),
    "Latin-1": spoken(GRANT, "latin-1", "application/json;charset=ISO-8859-1"),
    "Latin-1 that nobody declares": spoken(GRANT, "latin-1"),
    "a lone surrogate beside it": Reply(200, b'{"access_token":"t","message":"\\ud83d"}'),
    "NaN beside it": Reply(200, b'{"access_token":"t","x":NaN,}'),
    "a number without end beside it": Reply(200, b'{"access_token":"t","x":1e400}'),
    "text behind it": Reply(200, b'{"access_token":"t"}\n-- served by node 3'),
    "no Content-Type": Reply(200, b'{"access_token":"t"}', {"Content-Type": ""}),
    "gzip that nobody asked for": Reply(200, gzip.compress(b'{"access_token":"t"}'), {"Content-Encoding": "gzip"}),
    "no token_type": Reply(200, b'{"access_token":"t"}'),
    "token_type null": Reply(200, b'{"access_token":"t","token_type":null}'),
    "token_type in blanks": Reply(200, b'{"access_token":"t","token_type":" bearer "}'),
    "an empty error": Reply(200, b'{"access_token":"t","error":null}'),
}


@pytest.mark.parametrize("kind", READ)
async def test_a_token_is_read_as_answers_of_hosts_are(
    source: TokenSource, product_host: ProductHost, kind: str
) -> None:
    product_host.tokens.replies.append(READ[kind])
    assert await value_of(source, for_host(product_host)) == "t"


ERRORS_WITH_200: dict[str, tuple[dict[str, Any], str, str]] = {
    "GitHub": (
        {"error": "incorrect_client_credentials", "error_description": "The client_id and/or client_secret is wrong."},
        "UNAUTHORIZED",
        "200 (incorrect_client_credentials The client_id and/or client_secret is wrong.): check client id, secret and",
    ),
    "Slack": ({"ok": False, "error": "bad_client_secret"}, "UNAUTHORIZED", "(bad_client_secret): check the client"),
    "of the standard": ({"error": "invalid_scope"}, "CONFIGURATION_ERROR", "(invalid_scope): check the scope"),
    "of its own": ({"error": "no_such_tenant"}, "CONFIGURATION_ERROR", "(no_such_tenant): check outboundCredentials"),
    "with an empty token": ({"error": "invalid_client", "access_token": ""}, "UNAUTHORIZED", "(invalid_client)"),
}


@pytest.mark.parametrize("kind", ERRORS_WITH_200)
async def test_an_error_with_status_200_is_that_error(
    source: TokenSource, product_host: ProductHost, kind: str
) -> None:
    document, code, text = ERRORS_WITH_200[kind]
    product_host.tokens.replies.append(Reply.of(200, document))
    failure = await failure_of(source, for_host(product_host))
    assert (failure.code, text in failure.detail) == (code, True), failure.detail


@pytest.mark.parametrize(
    ("kind", "named"), [("mac", "mac"), ("DPoP", "DPoP"), (["Bearer"], "no text"), ("Bearer token", "Bearer token")]
)
async def test_another_token_type_is_named_with_the_field_that_lets_it_through(
    source: TokenSource, product_host: ProductHost, kind: Any, named: str
) -> None:
    product_host.tokens.replies.extend([granted(token_type=kind)] * 2)
    failure = await failure_of(source, for_host(product_host))
    assert failure.code == "INVALID_RESPONSE"
    assert f"token_type is {named} and not Bearer: set outboundCredentials.ignoreTokenType" in failure.detail
    assert await value_of(source, for_host(product_host, ignore_token_type=True)) == "t"
