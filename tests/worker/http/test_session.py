"""Requests on a connection and what is taken for their answers, with hosts that are raw sockets on loopback."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp.abc import ResolveResult

from tests.worker.http.raw_host import request, talking
from worker.http.aiohttp_inside.session import Session, guarded_session
from worker.http.resolver import SystemResolver

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OTHER = b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nbad"


async def test_an_answer_tells_what_its_connection_cost_where_it_was_new(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await request(reader)
            writer.write(OK)

    async with talking(talk) as url:
        first, second = [await session.post(url, b"{}", {}) for _ in range(2)]
    assert min(first.connected_s, first.waited_s, second.waited_s) > 0
    assert 0 <= first.looked_up_s <= first.connected_s
    assert (second.connected_s, second.looked_up_s) == (0, 0)


async def test_request_line_host_and_length_frame_the_body(session: Session) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request(reader))
        writer.write(OK)

    async with talking(talk) as url:
        await session.post(url, b"{}", {"X-Own": "1", "accept": "application/json"})
    first, *lines = seen[0].decode().split("\r\n")
    assert first == "POST /in?a=b HTTP/1.1"
    assert lines == [
        f"Host: {url.split('/')[2]}",
        "User-Agent: marketplace-dispatcher/1",
        "Accept-Encoding: identity",
        "Content-Length: 2",
        "X-Own: 1",
        "accept: application/json",
        "",
        "{}",
    ]


async def test_a_connection_is_used_again_after_a_whole_answer(session: Session) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await request(reader):
            writer.write(OK)

    async with talking(talk) as url:
        for _ in range(5):
            assert (await session.post(url, b"{}", {})).body.data == b"ok"
    assert connections == 1


@pytest.mark.parametrize("together", [True, False], ids=["with the first answer", "while the connection idles"])
async def test_an_answer_nobody_asked_for_is_not_the_answer_to_the_next_request(
    session: Session, together: bool
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK + OTHER if together else OK)
        await asyncio.sleep(0.05)
        writer.write(b"" if together else OTHER)
        await request(reader)
        writer.write(OTHER)

    async with talking(talk) as url:
        for _ in range(3):
            assert (await session.post(url, b"{}", {}, timeout_s=5)).status == 200
            await asyncio.sleep(0.1)


async def test_the_answer_after_interim_answers_counts(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await asyncio.sleep(0.02)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)

    async with talking(talk) as url:
        assert (await session.post(url, b"{}", {}, timeout_s=5)).status == 200


async def test_a_host_that_answers_before_it_has_read_is_heard_and_its_connection_left(session: Session) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.5)

    async with talking(talk) as url:
        for _ in range(2):
            assert (await session.post(url, b"x" * 30_000_000, {}, timeout_s=5)).status == 413
    assert connections == 2


async def test_a_host_that_closes_while_it_is_asked_gets_no_second_request(session: Session) -> None:
    asked = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await request(reader)
        writer.write(OK)
        await request(reader)
        asked += 1

    async with talking(talk) as url:
        await session.post(url, b"{}", {})
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(url, b"{}", {})
        await asyncio.sleep(0.05)
    assert asked == 1


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb"])
async def test_a_header_that_would_break_the_framing_sends_nothing(session: Session, value: str) -> None:
    connections = 0

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1

    async with talking(talk) as url:
        for headers in ({"X-Own": value}, {value: "x"}):
            with pytest.raises(ValueError, match="control character"):
                await session.post(url, b"{}", headers)
    assert connections == 0


async def test_a_cancelled_request_leaves_no_connection_behind(session: Session) -> None:
    closed = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        await reader.read()
        closed.set()

    async with talking(talk) as url:
        waiting = asyncio.create_task(session.post(url, b"{}", {}))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(30):
            await closed.wait()


async def test_a_host_that_speaks_first_is_heard_once(session: Session) -> None:
    """Symptom: it was dialled again and again, and no time-out ended that."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    async with talking(talk) as url:
        with pytest.raises((aiohttp.ClientError, TimeoutError)):
            await session.post(url, b"{}", {}, timeout_s=1)
    assert connections == 1


async def test_nothing_is_sent_once_the_time_is_over() -> None:
    connections = 0

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1

    class Late(SystemResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            await asyncio.sleep(0.3)
            return await super().resolve(host, port, family)

    async with talking(talk) as url, guarded_session(lambda _: None, resolver=Late()) as session:
        with pytest.raises(TimeoutError):
            await session.post(url.replace("127.0.0.1", "localhost"), b"{}", {}, timeout_s=0.1)
        await asyncio.sleep(0.5)
    assert connections == 0


async def test_a_host_that_does_not_read_in_time_is_sent_nothing_more(session: Session) -> None:
    """Symptom: socket and body were kept until the host had read all of it, which it may never do."""
    read: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        count = 0
        while part := await reader.read(2**20):
            count += len(part)
        read.set_result(count)

    async with talking(talk) as url:
        with pytest.raises(TimeoutError):
            await session.post(url, b"x" * 30_000_000, {}, timeout_s=0.5)
        async with asyncio.timeout(10):
            assert await read < 30_000_000


async def test_answers_in_pieces_leave_nothing_on_their_connection(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(OK[:-1])
            await asyncio.sleep(0.001)
            writer.write(OK[-1:])

    async with talking(talk) as url:
        for _ in range(20):
            assert (await session.post(url, b"{}", {})).body.data == b"ok"
        protocol = session.connections.idle[0].protocol
        assert protocol.closed is not None
        assert not protocol.closed._callbacks
