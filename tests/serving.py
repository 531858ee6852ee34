"""Listening on loopback, and ending it without a socket left behind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from dispatcher.api.http.aiohttp_inside.connection import Connection
from dispatcher.api.http.aiohttp_inside.protocols import protocol_factory
from tests.ports import free_port

ACCEPTING_TURNS = 3
"""Of the event loop, from a connection that is accepted to its protocol that knows it."""


Http = TestClient[web.Request, web.Application]

BUSY_AT_THE_END_S = 0.1
"""Time that handlers have left: pages and streams that are open still ask at the end of a test."""


async def listening(app: web.Application) -> Http:
    """A client of ``app``, which listens on loopback. Close the client to end both."""
    server = TestServer(app)
    await server.start_server(shutdown_timeout=BUSY_AT_THE_END_S)
    return TestClient(server)


class _AsServed(web.Server):
    """aiohttp's server, with the connections of ``dispatcher serve``."""

    connection: Callable[[], Connection]

    def __call__(self) -> Connection:
        return self.connection()


class _AsServedRunner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _AsServed
        assert isinstance(server, _AsServed)
        server.connection = protocol_factory(self.app, server)
        return server


class _TestServer(TestServer):
    async def _make_runner(self, **arguments: Any) -> web.AppRunner:
        return _AsServedRunner(self.app, **arguments)


async def listening_as_served(app: web.Application) -> Http:
    """``listening``, with the connections of ``dispatcher serve``: these begin ordinary requests themselves."""
    server = _TestServer(app)
    await server.start_server(shutdown_timeout=BUSY_AT_THE_END_S)
    return TestClient(server)


@asynccontextmanager
async def asking(app: web.Application) -> AsyncIterator[Http]:
    """``listening`` for as long as the context lasts."""
    async with await listening(app) as http:
        yield http


@asynccontextmanager
async def serving(app: web.Application, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port on which it listens. Handlers that are busy at the end have a tenth of a second left."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=BUSY_AT_THE_END_S, handler_cancellation=True)
    await runner.setup()
    assert runner.server is not None
    server = await asyncio.get_running_loop().create_server(runner.server, "127.0.0.1", port or free_port(), ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await close(server)
        await runner.cleanup()


async def close(server: asyncio.Server) -> None:
    """Listen no more, once every connection that is being accepted is there to be ended by whoever serves it.

    ``Server.close`` by itself loses those: their transport asserts that the server still listens, and their sockets
    are left to the garbage collector, whose warning then fails whichever test it comes in.
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(ACCEPTING_TURNS):
        await asyncio.sleep(0)
    server.close()
