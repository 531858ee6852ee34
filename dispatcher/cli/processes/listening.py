"""Listens for HTTP, and stops without cutting off a request. Knows nothing of routes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

from aiohttp import web
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.http.aiohttp_inside.protocols import protocol_factory
from dispatcher.cli.processes.sign_in import oidc_of
from dispatcher.console.routes import mount_console
from dispatcher.errors import ConfigurationError
from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.portal.routes import mount_portal
from dispatcher.settings import Settings

BACKLOG = 1024
RECEIVED_BYTES = 1 << 16
"""Of each connection, which are read at once: of many that send much, each would have hundreds of KiB in memory."""
SHUTDOWN_TIMEOUT_S = 10.0
"""Longest time that a request may take to end once the process stops."""


@dataclass(frozen=True, slots=True)
class Listening:
    """``address`` is where the socket is; ``settings.base_url`` is how the outside reaches it."""

    address: str
    settings: Settings


@asynccontextmanager
async def listening(settings: Settings, redis: Redis) -> AsyncIterator[Listening]:
    """The API, answering. On leaving: no new connections, running requests end, then the app is cleaned up.

    Port 0 takes a free one, which the yielded settings then name. Raises ConfigurationError when the port is taken.
    """
    with bind(settings.host, settings.port) as listener:
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        app = await build_app(settings, redis)
        mount_console(app, oidc_of(settings))
        mount_marketplace(app)
        mount_portal(app)
        runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        try:
            await runner.setup()
            with closing(await _serve(app, runner, listener)):
                yield Listening(_address(settings), settings)
        finally:
            await runner.cleanup()


async def _serve(app: web.Application, runner: web.AppRunner, listener: socket.socket) -> asyncio.AbstractServer:
    """Takes connections until it is closed; ``runner`` ends those that are there."""
    assert runner.server is not None
    loop, connection = asyncio.get_running_loop(), protocol_factory(app, runner.server)
    return await loop.create_server(connection, sock=listener, backlog=BACKLOG)


def bind(host: str, port: int) -> socket.socket:
    """A bound socket of the family that ``host`` is of."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG, reuse_port=False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES)
        return listener
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): set DISPATCHER_HOST and DISPATCHER_PORT"
        ) from error


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
