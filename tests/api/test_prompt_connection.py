"""A connection that begins requests itself keeps order, keep-alive and ending, and outlives callers that leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from dispatcher.api.http.aiohttp_inside.prompt_connection import PromptConnection
from dispatcher.api.http.aiohttp_inside.protocols import protocol_factory
from dispatcher.api.http.at_once import AT_ONCE, Answer, Begun
from dispatcher.api.http.response.middleware import EDGE, Edge
from dispatcher.errors import StoreUnavailable
from tests.serving import close
from tests.waiting import until

SLOW = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
OTHER = b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
END = b"GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
DEADLINE_S = 30.0


@dataclass
class Served:
    """An application whose POST of ``/v1/events`` is begun at once and ends when a test says so."""

    port: int
    server: web.Server
    runner: web.AppRunner
    begun: list[asyncio.Future[str]] = field(default_factory=list)
    handled: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answering: list[Callable[[], object]] = field(default_factory=list)
    """Called by the handler before it answers."""

    async def connect(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, PromptConnection]:
        before = set(self.server.connections)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await until(lambda: set(self.server.connections) - before)
        (connection,) = set(self.server.connections) - before
        assert isinstance(connection, PromptConnection)
        writer.write(data)
        return reader, writer, connection


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    begun, handled, statuses = list[asyncio.Future[str]](), list[str](), list[int]()
    answering: list[Callable[[], object]] = []

    async def handle(request: web.Request) -> web.Response:
        handled.append(request.path)
        for call in answering:
            call()
        return web.Response(text=f"handled {request.path}")

    def begin(headers: Mapping[str, str], raw: bytes) -> Begun | None:
        if "X-Odd" in headers:
            return None
        begun.append(asyncio.get_running_loop().create_future())
        return Begun(begun[-1], lambda said: Answer(200, {}, said.strip()))

    edge = Edge(statuses.append)
    app = web.Application(middlewares=[edge.serve])
    app.router.add_post("/v1/events", handle)
    app.router.add_get("/other", handle)
    app[EDGE], app[AT_ONCE] = edge, {"/v1/events": begin}
    runner = web.AppRunner(app, shutdown_timeout=DEADLINE_S)
    await runner.setup()
    assert runner.server is not None
    server = await asyncio.get_running_loop().create_server(protocol_factory(app, runner.server), "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield Served(port, runner.server, runner, begun, handled, statuses, answering)
    finally:
        await close(server)
        await runner.cleanup()


async def said(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        return await reader.read()


async def test_what_follows_waits_for_what_is_under_way(served: Served) -> None:
    reader, writer, _ = await served.connect(SLOW + SLOW + OTHER + END)
    await until(lambda: len(served.begun) == 1)
    await asyncio.sleep(0)
    assert (len(served.begun), served.handled) == (1, [])
    served.begun[0].set_result("first")
    await until(lambda: len(served.begun) == 2)
    assert served.handled == []
    served.begun[1].set_result("second")
    answers = await said(reader)
    places = [answers.index(one) for one in (b'"first"', b'"second"', b"handled /other")]
    assert places == sorted(places)
    assert answers.count(b"handled /other") == 2
    writer.close()


async def test_what_is_not_begun_and_what_follows_goes_to_handlers(served: Served) -> None:
    odd = SLOW.replace(b"Host", b"X-Odd: 1\r\nHost")
    reader, writer, _ = await served.connect(odd + END)
    assert (await said(reader)).count(b"200 OK") == 2
    assert (served.begun, served.handled) == ([], ["/v1/events", "/other"])
    writer.close()


async def test_what_comes_before_aiohttp_waits_again_is_begun_at_once(served: Served) -> None:
    reader, writer, connection = await served.connect(b"")
    for piece in (SLOW[:30], SLOW[30:]):
        served.answering.append(partial(asyncio.get_running_loop().call_soon, connection.data_received, piece))
    writer.write(OTHER)
    await until(lambda: served.begun)
    served.answering.clear()
    served.begun[0].set_result("begun")
    writer.write(END)
    answers = await said(reader)
    places = [answers.index(one) for one in (b"handled /other", b'"begun"')]
    assert places == sorted(places)
    assert served.handled == ["/other", "/other"]
    writer.close()


async def test_a_failure_is_the_handlers_to_tell_and_the_connection_goes_on(served: Served) -> None:
    reader, writer, connection = await served.connect(SLOW + END)
    await until(lambda: served.begun)
    served.begun[0].set_exception(StoreUnavailable("gone"))
    answers = await said(reader)
    assert answers.startswith(b"HTTP/1.1 503 ")
    assert b"unknown_outcome" in answers
    assert answers.endswith(b"handled /other")
    assert served.handled == ["/other"]
    assert connection.failure is None
    writer.close()


async def test_what_ended_and_cannot_be_told_is_no_second_request(served: Served) -> None:
    reader, writer, _ = await served.connect(SLOW + END)
    await until(lambda: served.begun)
    told: asyncio.Future[Any] = served.begun[0]
    told.set_result(1)
    answers = await said(reader)
    assert answers.startswith(b"HTTP/1.1 500 ")
    assert answers.endswith(b"handled /other")
    assert len(served.begun) == 1
    writer.close()


@pytest.mark.parametrize("failure", [None, StoreUnavailable("gone")])
async def test_a_caller_that_left_is_no_fault(served: Served, failure: Exception | None) -> None:
    _, writer, connection = await served.connect(SLOW)
    await until(lambda: served.begun)
    writer.close()
    await until(lambda: connection.transport is None)
    if failure is None:
        served.begun[0].set_result("nobody hears it")
    else:
        served.begun[0].set_exception(failure)
    await until(lambda: served.statuses == [503 if failure else 200])
    await until(lambda: not served.server.connections)


async def test_what_is_under_way_is_not_idle(served: Served) -> None:
    reader, writer, connection = await served.connect(SLOW)
    await until(lambda: served.begun)
    connection._next_keepalive_close_time = 0.0
    connection._process_keepalive()
    served.begun[0].set_result("still there")
    async with asyncio.timeout(DEADLINE_S):
        assert b"still there" in await reader.readuntil(b'"still there"')
    await until(lambda: connection._keepalive_handle is not None)
    connection._next_keepalive_close_time = 0.0
    connection._process_keepalive()
    assert await said(reader) == b""
    writer.close()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_server_that_ends_waits_for_what_is_under_way(
    served: Served, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer, _ = await served.connect(SLOW)
    idle, idle_writer, _ = await served.connect(b"")
    await until(lambda: served.begun)
    ending = asyncio.create_task(served.runner.cleanup())
    assert await said(idle) == b""
    assert not ending.done()
    if fails:
        served.begun[0].set_exception(StoreUnavailable("gone"))
    else:
        served.begun[0].set_result("the last")
    answer = await said(reader)
    assert (b"503 " if fails else b'"the last"') in answer
    async with asyncio.timeout(DEADLINE_S):
        await ending
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
    writer.close()
    idle_writer.close()


async def test_a_request_that_is_read_as_the_server_ends_is_answered_as_the_last_one(served: Served) -> None:
    """Closing between the reading of a request and its answer loses neither: both are steps of one turn of the loop."""
    reader, writer, connection = await served.connect(b"")
    connection.data_received(SLOW + OTHER)
    connection.close()
    connection.data_received(SLOW)
    assert len(served.begun) == 1
    served.begun[0].set_result("done")
    answer = await said(reader)
    assert (answer.count(b"HTTP/1.1 200 OK"), b"Connection: close\r\n" in answer) == (1, True)
    assert answer.endswith(b'"done"')
    assert served.handled == []
    writer.close()


async def test_a_request_that_is_left_to_its_handler_as_the_server_ends_is_answered(served: Served) -> None:
    reader, writer, connection = await served.connect(b"")
    await until(lambda: connection._waiter is not None)
    connection.data_received(OTHER)
    connection.close()
    assert (await said(reader)).endswith(b"handled /other")
    writer.close()


async def test_what_comes_once_the_server_ends_is_not_begun(served: Served) -> None:
    reader, writer, connection = await served.connect(b"")
    await until(lambda: connection._waiter is not None)
    connection.close()
    connection.data_received(SLOW)
    assert await said(reader) == b""
    assert (served.begun, served.handled) == ([], [])
    writer.close()


async def test_for_a_caller_that_reads_no_answers_nothing_is_begun(served: Served) -> None:
    reader, writer, connection = await served.connect(b"")
    connection.pause_writing()
    writer.write(SLOW)
    await until(lambda: served.handled == ["/v1/events"])
    connection.resume_writing()
    writer.write(END)
    assert (await said(reader)).count(b"200 OK") == 2
    assert served.begun == []
    writer.close()


async def test_a_request_of_which_half_is_there_goes_to_its_handler(served: Served) -> None:
    reader, writer, connection = await served.connect(SLOW[:-1])
    await until(lambda: connection._current_request is not None or served.handled)
    writer.write(SLOW[-1:] + END)
    assert (await said(reader)).count(b"200 OK") == 2
    assert served.handled == ["/v1/events", "/other"]
    writer.close()
