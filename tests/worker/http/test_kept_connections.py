"""Kept connections that a host has given up: told apart from failing hosts, so that a request may be made once more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from dispatcher.model.integration import Transport
from tests.raw_server import RawServer
from tests.tls_parts import issue, server_context
from tests.waiting import until
from tests.worker.http.raw_host import OK, TIMED_OUT, request, talking
from worker.http.aiohttp_inside import exchange, host_connections
from worker.http.aiohttp_inside.session import Session, guarded_session
from worker.http.connector import ConnectionLapsed
from worker.http.tls import tls_context


class Host:
    """Answers the first request of each connection, and does as told with the second."""

    def __init__(self, then: bytes = b"", *, reset: bool = False, stays: bool = False) -> None:
        self.then, self.reset, self.stays = then, reset, stays
        self.connections = self.requests = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await request(reader)
        self.requests += 1
        writer.write(OK)
        await request(reader)
        self.requests += 1
        writer.write(self.then)
        if self.reset:
            writer.transport.abort()
        if self.stays:
            await reader.read()


LAPSED = {
    "end of file": Host(),
    "a reset": Host(reset=True),
    "an unasked 408": Host(TIMED_OUT),
    "bytes that an answer left behind": Host(b"rest of a body\r\n", stays=True),
}


@pytest.mark.parametrize("kind", LAPSED)
async def test_a_kept_connection_that_was_given_up_is_told_and_a_fresh_one_carries_the_request(
    session: Session, kind: str
) -> None:
    host = LAPSED[kind]
    host.connections = host.requests = 0
    async with talking(host.talk) as url:
        assert (await session.post(url, b"{}", {}, timeout_s=60)).status == 200
        with pytest.raises(ConnectionLapsed) as caught:
            await session.post(url, b"{}", {}, timeout_s=60)
        assert 0 < caught.value.left_s <= 60
        assert (await session.post(url, b"{}", {}, timeout_s=60, fresh=True)).status == 200
    assert (host.connections, host.requests) == (2, 3)


@pytest.mark.parametrize("reset", [False, True], ids=["end of file", "a reset"])
async def test_a_kept_connection_over_tls_is_told_alike(tmp_path: Path, reset: bool) -> None:
    authority, host = issue("authority"), Host(reset=reset)
    trusting = tls_context(Transport(ca_certificates=authority.pem))
    async with (
        RawServer(host.talk, tls=server_context(tmp_path, issue("shop", authority))) as server,
        guarded_session(lambda _: None, tls=trusting) as session,
    ):
        url = server.url.replace("http:", "https:")
        assert (await session.post(url, b"{}", {}, timeout_s=60)).status == 200
        with pytest.raises(ConnectionLapsed):
            await session.post(url, b"{}", {}, timeout_s=60)
        assert (await session.post(url, b"{}", {}, timeout_s=60, fresh=True)).status == 200
    assert (host.connections, host.requests) == (2, 3)


async def test_a_fresh_request_takes_no_kept_connection(session: Session) -> None:
    host = Host(OK)
    async with talking(host.talk) as url:
        for _ in range(3):
            assert (await session.post(url, b"{}", {}, timeout_s=60, fresh=True)).status == 200
    assert (host.connections, host.requests) == (3, 3)


async def test_a_new_connection_that_ends_without_an_answer_is_the_hosts_failure(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)

    async with talking(talk) as url:
        with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
            await session.post(url, b"{}", {}, timeout_s=60)
    assert not isinstance(caught.value, ConnectionLapsed)


@pytest.mark.parametrize(
    "then",
    [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.", b"\r\n"],
    ids=["interim", "half a status line", "a blank line"],
)
async def test_once_a_byte_of_an_answer_came_nothing_is_made_once_more(session: Session, then: bytes) -> None:
    host = Host(then)
    async with talking(host.talk) as url:
        await session.post(url, b"{}", {}, timeout_s=60)
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.post(url, b"{}", {}, timeout_s=60)
    assert not isinstance(caught.value, ConnectionLapsed)


async def test_a_time_out_on_a_kept_connection_is_a_time_out(session: Session) -> None:
    host = Host(stays=True)
    async with talking(host.talk) as url:
        await session.post(url, b"{}", {}, timeout_s=60)
        with pytest.raises(TimeoutError):
            await session.post(url, b"{}", {}, timeout_s=0.2)
    assert host.requests == 2


async def test_a_host_that_ends_the_connection_long_after_the_request_may_have_worked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LAPSE_S", 0.0)
    host = Host()
    async with talking(host.talk) as url:
        await session.post(url, b"{}", {}, timeout_s=60)
        with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
            await session.post(url, b"{}", {}, timeout_s=60)
    assert not isinstance(caught.value, ConnectionLapsed)


async def test_a_connection_that_nothing_needs_is_closed_and_those_in_use_are_not(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_connections, "KEEP_ALIVE_S", 0.05)
    connections, asked, go_on = 0, asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await request(reader):
            asked.set()
            await go_on.wait()
            writer.write(OK)

    async with talking(talk) as url:
        first, second = (asyncio.create_task(session.post(url, b"{}", {}, timeout_s=60)) for _ in range(2))
        await asked.wait()
        assert not session.connections.idle
        go_on.set()
        await asyncio.gather(first, second)
        await until(lambda: not session.connections.idle)
        assert (await session.post(url, b"{}", {}, timeout_s=60)).status == 200
    assert connections == 3


async def test_the_connection_used_last_is_taken_first(session: Session) -> None:
    async with talking(Host(stays=True).talk) as url:
        await asyncio.gather(*(session.post(url, b"{}", {}, timeout_s=60) for _ in range(3)))
        waiting = session.connections.idle
        with pytest.raises(TimeoutError):
            await session.post(url, b"{}", {}, timeout_s=0.1)
        assert session.connections.idle == waiting[:2]


async def test_a_request_that_ends_after_its_session_leaves_nothing_open(session: Session) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        asked.set()
        await go_on.wait()
        writer.write(OK)

    async with talking(talk) as url:
        post = asyncio.create_task(session.post(url, b"{}", {}, timeout_s=60))
        await asked.wait()
        await session.close()
        go_on.set()
        await asyncio.wait([post])
        assert post.exception() is not None
        assert not session.connections.idle


async def test_a_408_on_a_new_connection_is_the_hosts_answer(session: Session) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(TIMED_OUT)

    async with talking(talk) as url:
        assert (await session.post(url, b"{}", {}, timeout_s=60)).status == 408
