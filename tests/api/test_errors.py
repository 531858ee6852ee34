"""Errors below and around the handlers: framing, methods, paths, slow clients."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from dispatcher.api.http.aiohttp_inside import connection
from dispatcher.api.http.request import body as bodies
from dispatcher.api.http.response import middleware
from dispatcher.api.http.response.errors import error_body
from dispatcher.errors import InvalidRequest
from tests.api.conftest import Api, Start
from tests.api.framing import EVENT, JSON


async def raw(api: Api, *pieces: bytes, pause_s: float = 0.0, wait_s: float = 5.0) -> tuple[int, bytes]:
    """Send bytes as they are; returns status and body. Status 0 = closed without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.http.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(wait_s):
            head = await reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        return int(head.split()[1]), await reader.readexactly(int(length.split(b":")[1]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""
    finally:
        writer.close()


def head(api: Api, *lines: str, request: str = "POST /v1/events HTTP/1.1") -> bytes:
    token = f"Authorization: {api.headers['Authorization']}"
    return "\r\n".join([request, "Host: x", token, "Content-Type: application/json", *lines, "", ""]).encode()


async def test_bi18_too_long_is_refused_before_it_is_sent(api: Api) -> None:
    status, body = await raw(api, head(api, "Content-Length: 99999999"))
    assert status == 413
    assert orjson.loads(body)["errors"][0]["code"] == "body_too_large"


async def test_bi18_the_limit_is_a_setting(start: Start) -> None:
    api = await start(max_body_bytes=2048)
    await api.refused("POST", "/v1/events", 413, "body_too_large", data=b"x" * 3000, headers=JSON)


async def test_bi19_too_long_in_chunks_is_refused_while_reading(api: Api) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    status, body = await raw(api, head(api, "Transfer-Encoding: chunked"), *[chunk] * 20)
    assert status == 413
    assert orjson.loads(body)["errors"][0]["code"] == "body_too_large"


BROKEN_FRAMING = {
    "length and chunks": ("Content-Length: 4", "Transfer-Encoding: chunked"),
    "two lengths": ("Content-Length: 4", "Content-Length: 5"),
    "negative length": ("Content-Length: -1",),
    "length is text": ("Content-Length: four",),
}


@pytest.mark.parametrize("name", BROKEN_FRAMING)
async def test_bi26_broken_framing_is_refused(api: Api, name: str) -> None:
    status, _ = await raw(api, head(api, *BROKEN_FRAMING[name]), b"0\r\n\r\n")
    assert status == 400


async def test_bi26_bad_chunk_is_refused(api: Api) -> None:
    status, _ = await raw(api, head(api, "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n")
    assert status == 400


async def test_bi26_bad_chunk_that_comes_late_is_refused(api: Api) -> None:
    status, body = await raw(api, head(api, "Transfer-Encoding: chunked"), b"zz\r\n{}\r\n", pause_s=0.05)
    assert status == 400
    assert orjson.loads(body)["errors"][0]["code"] == "malformed_body"


async def test_a_body_in_slow_pieces_is_read_whole(api: Api) -> None:
    pieces = [EVENT[at : at + 8] for at in range(0, len(EVENT), 8)]
    status, body = await raw(api, head(api, f"Content-Length: {len(EVENT)}"), *pieces, pause_s=0.08)
    assert status == 202, body


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.http.port)
    writer.write(head(api, "Content-Length: 100") + b"{")
    await asyncio.sleep(0.05)
    writer.close()
    assert await reader.read() == b""
    await asyncio.sleep(0.3)
    assert not [task for task in asyncio.all_tasks() if "read" in repr(task.get_coro())]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_bi27_body_that_never_ends_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bodies.READ_TIMEOUT_S == 10
    monkeypatch.setattr(bodies, "READ_TIMEOUT_S", 0.3)
    status, body = await raw(api, head(api, "Content-Length: 100"), b"{")
    assert status == 408
    assert orjson.loads(body)["errors"][0]["code"] == "request_timeout"


async def test_bi28_headers_that_drip_are_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.IDLE_CONNECTION_S == 10
    monkeypatch.setattr(connection, "IDLE_CONNECTION_S", 0.5)
    api = await start()
    status, _ = await raw(api, b"POST /v1/events HTTP/1.1\r\n", *[b"X-Drip: 1\r\n"] * 20, pause_s=0.1)
    assert status == 0


@pytest.mark.parametrize("lines", [["X-Big: " + "x" * 9000], [f"X-{n}: 1" for n in range(200)]])
async def test_bi29_too_many_or_too_long_headers_are_refused(api: Api, lines: list[str]) -> None:
    status, _ = await raw(api, head(api, *lines, request="GET /v1/events HTTP/1.1"))
    assert status in (400, 431)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/events", {"GET", "HEAD", "POST"}),
        ("TRACE", "/v1/events", {"GET", "HEAD", "POST"}),
        ("HEAD", "/oauth2/token", {"POST"}),
        ("DELETE", "/v1/events/x", {"GET", "HEAD"}),
        ("GET", "/v1/events/batch/x", None),
        ("PUT", "/v1/redeliveries", {"GET", "HEAD", "POST"}),
    ],
)
async def test_bi30_wrong_methods_are_told_the_right_ones(
    api: Api, method: str, path: str, allow: set[str] | None
) -> None:
    answer = await api.ask(method, path)
    assert answer.status == (405 if allow else 404)
    if allow:
        assert set(answer.headers["Allow"].split(",")) == allow
        if method != "HEAD":
            assert (await answer.json())["errors"][0]["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/nope", "/v1/%2e%2e/x", "/v1/%00", "/v1/events/%2e%2e", "/%ff", "/v1/events/"])
async def test_bi31_unknown_paths_answer_json(api: Api, path: str) -> None:
    status, body = await raw(api, head(api, request=f"GET {path} HTTP/1.1"))
    assert status == 404
    assert orjson.loads(body)["errors"][0]["code"] == "not_found"


async def test_bi57_options_lists_methods_without_granting_anything(api: Api) -> None:
    answer = await api.http.options("/v1/events", headers={"Origin": "https://evil.example"})
    assert (answer.status, set(answer.headers["Allow"].split(","))) == (204, {"GET", "HEAD", "POST"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [("GET /healthz HTTP/1.0", 200), ("get /healthz HTTP/1.1", 405), ("GET http://x/healthz HTTP/1.1", 200)],
)
async def test_bi58_old_and_odd_request_lines_never_fail_us(api: Api, request_line: str, expected: int) -> None:
    status, _ = await raw(api, head(api, request=request_line))
    assert status == expected


async def test_no_browser_takes_an_answer_for_a_page(api: Api) -> None:
    for method, path in (("POST", "/v1/events"), ("GET", "/v1/events"), ("GET", "/v1/events/nothing")):
        answer = await api.ask(method, path, **({"data": EVENT, "headers": JSON} if method == "POST" else {}))
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_request_id_is_taken_over_or_made(api: Api) -> None:
    given = await api.http.get("/healthz", headers={"X-Request-Id": "trace-1"})
    assert given.headers["X-Request-Id"] == "trace-1"
    bad = await api.http.get("/healthz", headers={"X-Request-Id": "a b"})
    assert bad.headers["X-Request-Id"] != "a b"
    ids = {(await api.http.get("/healthz")).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5


REST = {"errors": [{"code": "c", "message": "m", "field": "f"}], "requestId": "r"}
HOST_APPLICATION = {"Message": "m", "Errors": [{"Code": "c", "Message": "m", "Field": "f"}], "RequestId": "r"}
SHAPES = {
    "/v1/x": REST,
    "/api/integration/v1/x": REST,
    "/oauth2/token": {"error": "invalid_request", "error_description": "m", "request_id": "r"},
    "/v1.0/x": HOST_APPLICATION,
    "/account/x": HOST_APPLICATION,
    "/launch/x": HOST_APPLICATION,
    "/graphql": {
        "errors": [{"message": "m", "extensions": {"code": "c", "field": "f"}}],
        "extensions": {"requestId": "r"},
    },
}


@pytest.mark.parametrize("path", SHAPES)
def test_each_surface_has_its_own_form_of_error(path: str) -> None:
    assert error_body(path, InvalidRequest.of("c", "m", "f"), "r") == SHAPES[path]


async def test_what_breaks_inside_is_told_to_nobody_outside(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise KeyError("inner secret")

    monkeypatch.setattr(type(api.services.queue), "get", broken)
    body = await api.refused("GET", "/v1/events/x", 500, "internal_error")
    assert "secret" not in str(body)


async def test_bi56_control_characters_in_a_path_do_not_break_a_log_line(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    await raw(api, head(api, request="GET /v1/%0d%0aforged%1b[31m HTTP/1.1"))
    out = capsys.readouterr().out
    assert not [line for line in out.splitlines() if line.startswith("forged")]


def test_slow_requests_are_logged_from_one_second_on() -> None:
    assert middleware.SLOW_S == 1.0
