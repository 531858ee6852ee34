"""Bytes that nobody asked for, behind an answer or while its connection idles: they are part of no answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.waiting import until
from tests.worker.http.raw_host import OK, TIMED_OUT, request, talking
from worker.http.aiohttp_inside.session import Session


async def test_a_408_that_came_while_the_connection_idled_is_answer_to_nothing(session: Session) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await request(reader)
        writer.write(OK)
        await writer.drain()
        writer.write(TIMED_OUT)
        await reader.read()

    async with talking(talk) as url:
        for _ in range(3):
            assert (await session.post(url, b"{}", {}, timeout_s=60)).status == 200
            await until(lambda: not any(one.is_lasting for one in session.connections.idle))
    assert connections == 3


UNASKED = {
    "half an answer": OK[:20],
    "an answer": OK,
    "a byte": b"H",
}


@pytest.mark.parametrize("unasked", UNASKED.values(), ids=UNASKED)
async def test_whatever_comes_unasked_is_no_part_of_the_next_answer(session: Session, unasked: bytes) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await request(reader)
        writer.write(OK)
        await writer.drain()
        await told.wait()
        writer.write(unasked)
        await reader.read()

    async with talking(talk) as url:
        for _ in range(3):
            told = asyncio.Event()
            assert (await session.post(url, b"{}", {}, timeout_s=60)).body.data == b"ok"
            assert session.connections.idle[0].is_lasting
            told.set()
            await until(lambda: not any(one.is_lasting for one in session.connections.idle))
    assert connections == 3


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
HALF_HEADS = {
    "a length": (OK, b"HTTP/1.1 410 Gone\r\nX: "),
    "a length, to its status": (OK, b"HTTP/1.1 410 "),
    "a length, a letter": (OK, b"H"),
    "chunks": (CHUNKED + b"\r\n", b"HTTP/1.1 410 Gone\r\nX: "),
    "chunks and a trailer": (CHUNKED + b"X-Sum: 1\r\n\r\n", b"HTTP/1.1 410 Gone\r\n"),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 410 Gone\r\nX: "),
    "an interim answer": (b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK, b"HTTP/1.1 410 Gone\r\nX: "),
    "line feeds": (OK.replace(b"\r", b""), b"HTTP/1.1 410 Gone\r\nX: "),
}


@pytest.mark.parametrize("cut", [0, 1, 3, 25], ids=["in one piece", "last byte apart", "end apart", "body apart"])
@pytest.mark.parametrize("kind", HALF_HEADS)
async def test_half_a_head_right_behind_an_answer_is_no_part_of_the_next_one(
    session: Session, kind: str, cut: int
) -> None:
    """Symptom: a host answered 500, and its event had succeeded by the 200 that hung behind the answer before."""
    answer, half = HALF_HEADS[kind]
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        first = True
        while await request(reader):
            at = len(answer) - cut
            if cut:
                writer.write(answer[:at])
                await writer.drain()
                await asyncio.sleep(0.005)
            writer.write((answer[at:] if cut else answer) + (half if first else b""))
            first = False

    async with talking(talk) as url:
        for _ in range(3):
            got = await session.post(url, b"{}", {}, timeout_s=60)
            assert (got.status, got.body.data) in {(200, b"ok"), (204, b"")}
            assert not session.connections.idle
    assert connections == 3


WHOLE = {kind: answer for kind, (answer, _) in HALF_HEADS.items() if kind != "line feeds"}


@pytest.mark.parametrize("cut", [0, 1, 3], ids=["in one piece", "last byte apart", "end apart"])
@pytest.mark.parametrize("kind", WHOLE)
async def test_an_answer_that_nothing_follows_leaves_its_connection_open(session: Session, kind: str, cut: int) -> None:
    connections, answer = 0, WHOLE[kind]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await request(reader):
            writer.write(answer[: len(answer) - cut])
            if cut:
                await writer.drain()
                await asyncio.sleep(0.005)
                writer.write(answer[len(answer) - cut :])

    async with talking(talk) as url:
        for _ in range(3):
            assert (await session.post(url, b"{}", {}, timeout_s=60)).status in {200, 204}
    assert connections == 1


async def test_a_connection_is_not_kept_after_101_that_changes_to_no_protocol(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await reader.read()

    async with talking(talk) as url:
        assert (await session.post(url, b"{}", {}, timeout_s=60)).status == 101
        assert not session.connections.idle


async def test_an_answer_in_thousands_of_chunks_leaves_a_connection_that_listens(session: Session) -> None:
    body = b"1\r\nx\r\n" * 40_000 + b"0\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    async with talking(talk) as url:
        for _ in range(3):
            assert (await session.post(url, b"{}", {}, timeout_s=60)).body.data == b"x" * 40_000
