"""Hostile receivers, each a raw socket server on loopback: bounded time and memory, the status kept."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.raw_server import Talk
from tests.worker.http.raw_host import talking
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.answer import MAX_ANSWER_BYTES, AnswerBody


@asynccontextmanager
async def receiver(behave: Talk) -> AsyncIterator[str]:
    """The URL of a server that reads one request's head and then behaves as told."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await behave(reader, writer)

    async with talking(talk) as url:
        yield url


async def outcome(url: str, timeout_s: float = 20.0) -> tuple[int, AnswerBody]:
    async with guarded_session(lambda _: None) as session:
        answer = await session.post(url, b"{}", {}, timeout_s=timeout_s)
    return answer.status, answer.body


def writes(*chunks: bytes) -> Talk:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
        await writer.drain()

    return behave


def drips(head: bytes, drop: bytes) -> Talk:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    return behave


def floods(head: bytes, block: bytes) -> Talk:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()

    return behave


OK = b"HTTP/1.1 200 OK\r\n"


async def test_a_small_answer_is_whole() -> None:
    async with receiver(writes(OK + b"Content-Length: 16\r\n\r\n", b'{"success":true}')) as url:
        assert await outcome(url) == (200, AnswerBody(b'{"success":true}', False))


async def test_an_empty_answer_is_whole() -> None:
    async with receiver(writes(b"HTTP/1.1 204 No Content\r\n\r\n")) as url:
        assert await outcome(url) == (204, AnswerBody(b"", False))


@pytest.mark.parametrize(("extra", "truncated"), [(0, False), (1, True), (5000, True)])
async def test_the_limit_is_exact(extra: int, truncated: bool) -> None:
    size = MAX_ANSWER_BYTES + extra
    async with receiver(writes(OK + b"Content-Length: %d\r\n\r\n" % size, b"x" * size)) as url:
        status, body = await outcome(url)
    assert status == 200
    assert (len(body.data), body.truncated) == (MAX_ANSWER_BYTES, truncated)


async def test_ft32_a_dripping_body_ends_with_the_total_timeout() -> None:
    started = time.monotonic()
    async with receiver(drips(OK + b"\r\n", b".")) as url:
        status, body = await outcome(url, timeout_s=1)
    assert time.monotonic() - started < 10
    assert (status, body.truncated) == (200, True)
    assert body.data.startswith(b"..")


async def test_ft32_an_endless_body_is_cut_at_once() -> None:
    started = time.monotonic()
    async with receiver(floods(OK + b"\r\n", b"x" * 65536)) as url:
        status, body = await outcome(url)
    assert time.monotonic() - started < 20
    assert (status, len(body.data), body.truncated) == (200, MAX_ANSWER_BYTES, True)


async def test_ft32_an_endless_chunked_body_is_cut_at_once() -> None:
    async with receiver(floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n")) as url:
        status, body = await outcome(url)
    assert (status, len(body.data), body.truncated) == (200, MAX_ANSWER_BYTES, True)


async def test_ft32_a_compressed_bomb_is_inflated_up_to_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with receiver(writes(head, bomb)) as url:
        status, body = await outcome(url)
    assert status == 200
    assert body == AnswerBody(b"\0" * MAX_ANSWER_BYTES, True)


async def test_ft32_a_body_that_breaks_off_keeps_the_status() -> None:
    async with receiver(writes(OK + b"Content-Length: 100\r\n\r\n", b'{"succ')) as url:
        assert await outcome(url) == (200, AnswerBody(b'{"succ', True))


async def test_ft32_a_broken_chunk_keeps_the_status() -> None:
    async def breaks_a_chunk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(b"zz\r\nnot a chunk\r\n")

    async with receiver(breaks_a_chunk) as url:
        status, body = await outcome(url, timeout_s=2)
    assert (status, body.truncated) == (200, True)


async def test_a_truncated_answer_does_not_stay_in_the_pool() -> None:
    async with (
        receiver(floods(OK + b"\r\n", b"x" * 65536)) as url,
        guarded_session(lambda _: None) as session,
    ):
        await session.post(url, b"{}", {})
        assert not session.connections.idle


NEVER_A_STATUS: dict[str, tuple[Talk, type[Exception]]] = {
    "garbage": (writes(b"\x16\x03\x01 not http at all\r\n\r\n"), aiohttp.ClientError),
    "instant close": (writes(), aiohttp.ServerDisconnectedError),
    "silence": (drips(b"", b""), TimeoutError),
    "dripping headers": (drips(OK, b"X-A: b\r\n"), Exception),
    "endless 100 Continue": (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), aiohttp.ClientError),
}


ENDLESS_HEADS: dict[str, Talk] = {
    "a million headers": floods(OK, b"X-Many: y\r\n" * 4096),
    "a header of 10 MB": writes(OK + b"X-Big: " + b"y" * 10_000_000 + b"\r\n\r\n"),
    "headers over the limit together": writes(OK + b"X-Many: y\r\n" * 6000 + b"\r\n"),
}


@pytest.mark.parametrize("kind", ENDLESS_HEADS)
async def test_ft32_headers_are_read_up_to_64_kib_in_total_and_their_status_counts(kind: str) -> None:
    async with receiver(ENDLESS_HEADS[kind]) as url, guarded_session(lambda _: None) as session:
        answer = await session.post(url, b"{}", {}, timeout_s=20)
        assert not session.connections.idle
    assert (answer.status, answer.body) == (200, AnswerBody(b"", True))
    assert answer.odd == "the answer is odd: its headers are over 64 KiB, its body was not read"
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) <= 65_536


async def test_ft32_trailers_without_end_are_cut() -> None:
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    async with receiver(floods(head, b"X-Trailer: " + b"y" * 30_000 + b"\r\n")) as url:
        assert await outcome(url) == (200, AnswerBody(b"ok", True))


@pytest.mark.parametrize("kind", NEVER_A_STATUS)
async def test_ft32_no_readable_status_is_a_typed_error_in_bounded_time(kind: str) -> None:
    behave, expected = NEVER_A_STATUS[kind]
    started = time.monotonic()
    async with receiver(behave) as url:
        with pytest.raises(expected) as caught:
            await outcome(url, timeout_s=20 if expected is aiohttp.ClientError else 0.5)
    assert isinstance(caught.value, aiohttp.ClientError | TimeoutError)
    assert time.monotonic() - started < 10
