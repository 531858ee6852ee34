"""A request that cannot be read as HTTP is answered as any other error, quotes nothing, and is never cached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.cli.processes.listening import listening
from dispatcher.settings import Settings
from tests.api.conftest import KEY, Api

HEAD = b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
UNREADABLE = {
    "no HTTP": (b"\x16\x03\x01\x02\r\n\r\n", "bad_request", "HTTPS traffic on an HTTP port"),
    "bytes in a method": (b"G\x01T /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request", "Invalid method"),
    "unknown version": (b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", "bad_request", "Invalid HTTP version"),
    "no URL": (b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request", "the address is no URL"),
    "space in a header's name": (HEAD + b"A secret: s3cr3t\r\n\r\n", "bad_request", "Invalid header token"),
    "NUL in a header": (HEAD + b"Authorization: s3cr3t\x00\r\n\r\n", "bad_request", "Invalid header value"),
    "length and chunks": (
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "bad_request",
        "Transfer-Encoding can't be present",
    ),
    "address too long": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "line_too_long", "8190 bytes"),
    "header too long": (HEAD + b"A: " + b"s3cr3t" * 2000 + b"\r\n\r\n", "line_too_long", "8190 bytes"),
    "too many headers": (HEAD + b"".join(b"A%d: b\r\n" % i for i in range(200)) + b"\r\n", "bad_request", "Too many"),
}


@pytest.fixture
async def port(redis: Redis) -> AsyncIterator[int]:
    async with listening(Settings.model_validate({"port": 0, "secret_keys": KEY}), redis) as api:
        yield api.settings.port


async def said(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of all that is answered until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_refused_in_json(port: int, name: str, caplog: pytest.LogCaptureFixture) -> None:
    request, code, reason = UNREADABLE[name]
    head, body = await said(port, request)
    assert head.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    document = orjson.loads(body)
    (error,) = document["errors"]
    assert (error["code"], error["field"]) == (code, None)
    assert reason in error["message"]
    assert f"x-request-id: {document['requestId']}".encode() in head.lower()
    assert b"s3cr3t" not in head + body
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/oauth2/token", 401),
        ("GET", "/oauth2/token", 405),
        ("GET", "/v1/events", 401),
    ],
)
async def test_no_error_is_kept_by_a_cache(api: Api, method: str, path: str, status: int) -> None:
    form = {"grant_type": "client_credentials", "client_id": "admin", "client_secret": "wrong"}
    answer = await api.http.request(method, path, data=form if method == "POST" else None)
    assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store")
