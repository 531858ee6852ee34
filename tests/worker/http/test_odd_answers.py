"""Answers that are not quite HTTP: they end where HTTP says, and a 2xx counts by its status. Raw hosts on loopback."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.waiting import until
from tests.worker.http.raw_host import request, talking
from worker.http.aiohttp_inside.session import Session
from worker.http.answer import Answer

OK = b"HTTP/1.1 200 OK\r\n"
NOT_HTTP = "the answer is odd: "


async def answered(session: Session, *pieces: bytes, keeps_open: bool = False) -> Answer:
    """Outcome of an answer in these pieces, each read before the next is written."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        if keeps_open:
            await reader.read()

    async with talking(talk) as url:
        return await session.post(url, b"{}", {}, timeout_s=5)


ENDED = {
    "204 and a body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"hello", (204, b"")),
    "204 that names a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"hello", (204, b"")),
    "204 in chunks": (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", (204, b"")),
    "304 and a body": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"hello", (304, b"")),
    "beyond Content-Length": (OK + b"Content-Length: 2\r\n\r\nok", b"more\r\nof it", (200, b"ok")),
    "beyond the last chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"junk", (200, b"ok")),
    "after Connection: close": (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", b"more", (200, b"ok")),
    "no content of a 201": (b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", b"<html>", (201, b"")),
    "an interim answer before": (b"HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 No\r\n\r\n", b"junk", (204, b"")),
    "a body that looks like an answer": (b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 500 Oops\r\n\r\n", (204, b"")),
}


@pytest.mark.parametrize("kind", ENDED)
@pytest.mark.parametrize("together", [True, False], ids=["at once", "later"])
async def test_an_answer_ends_where_http_says_it_ends(session: Session, kind: str, together: bool) -> None:
    answer, extra, expected = ENDED[kind]
    pieces = (answer + extra,) if together else (answer, extra)
    got = await answered(session, *pieces, keeps_open=True)
    assert (got.status, got.body.data, got.body.truncated) == (*expected, False)


@pytest.mark.parametrize("kind", ENDED)
@pytest.mark.parametrize("delay_s", [0, 0.02], ids=["at once", "20 ms later"])
async def test_what_follows_an_answer_hurts_no_later_request(session: Session, kind: str, delay_s: float) -> None:
    """Symptom: 11 POSTs for 6 events, since bytes that came late were read as the next answer."""
    answer, extra, expected = ENDED[kind]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(answer if delay_s else answer + extra)
            await asyncio.sleep(delay_s)
            writer.write(extra if delay_s else b"")

    async with talking(talk) as url:
        for _ in range(3):
            assert (await session.post(url, b"{}", {}, timeout_s=5)).status == expected[0]
            await until(lambda: not any(one.is_lasting for one in session.connections.idle))


ODD = {
    "a header of 9 KB": (
        OK + b"X-Big: " + b"y" * 9000 + b"\r\nContent-Length: 2\r\n\r\nok",
        "it has a header of 9005 bytes",
    ),
    "200 headers": (
        OK + b"".join(b"X-%d: y\r\n" % n for n in range(199)) + b"Content-Length: 2\r\n\r\nok",
        "it has 200 headers",
    ),
    "a blank in a name": (OK + b"Bad Header: x\r\nContent-Length: 2\r\n\r\nok", "Invalid header token"),
    "no colon": (OK + b"nocolon\r\nContent-Length: 2\r\n\r\nok", "Invalid header token"),
    "NUL in a value": (OK + b"A: x\0y\r\nContent-Length: 2\r\n\r\nok", "Invalid HTTP header"),
    "the same length twice": (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "Duplicate Content-Length"),
    "the same length in a list": (OK + b"Content-Length: 2, 2\r\n\r\nok", "Invalid character in Content-Length"),
    "length and chunks": (
        OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "Transfer-Encoding can't be present with Content-Length",
    ),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("cut", [0, 2, 40], ids=["in one piece", "body apart", "head in two"])
async def test_an_odd_answer_is_read_to_its_end_and_says_what_is_odd(session: Session, kind: str, cut: int) -> None:
    wire, reason = ODD[kind]
    at = len(wire) - cut
    got = await answered(session, wire[:at], wire[at:], keeps_open=True)
    assert (got.status, got.body.data, got.body.truncated) == (200, b"ok", False)
    assert got.odd.startswith(NOT_HTTP + reason)


BROKEN = {
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\nok", b"ok"),
    "no number": (OK + b"Content-Length: +2\r\n\r\nok", b"ok"),
    "a number without end": (OK + b"Content-Length: 99999999999999999999999\r\n\r\nok", b"ok"),
    "no chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\nnope", b"ok"),
    "a chunk that is shorter than it says": (OK + b"A B: c\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", b"ok"),
    "a head that breaks off": (OK + b"Content-Type: application/json\r\nContent-Le", b""),
    "an odd head that breaks off": (OK + b"Odd Header: x\r\nContent-Le", b""),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_the_status_counts_when_the_rest_cannot_be_made_out(session: Session, kind: str) -> None:
    wire, data = BROKEN[kind]
    got = await answered(session, wire)
    assert (got.status, got.body.data, got.body.truncated) == (200, data, True)


async def test_an_odd_answer_that_never_ends_costs_no_more_than_the_time_out(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK + b"Odd Header: x\r\nContent-Length: 100\r\n\r\nok")
        await reader.read()

    async with talking(talk) as url:
        got = await session.post(url, b"{}", {}, timeout_s=0.3)
    assert (got.status, got.body.data, got.body.truncated) == (200, b"ok", True)


NONE = {
    "another protocol": (b"220 mail.example ESMTP\r\n", "Bad status line"),
    "a page": (b"<html><body>", "Bad status line"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n", "Bad status line"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "Bad status line"),
    "a status that is no number": (b"HTTP/1.1 OK\r\n\r\n", "Bad status line"),
}


@pytest.mark.parametrize("kind", NONE)
async def test_what_is_no_answer_is_told_by_the_parsers_reason(session: Session, kind: str) -> None:
    wire, reason = NONE[kind]
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        await answered(session, wire)
    assert caught.value.message == reason
