"""Takes requests whose target names a host that nobody can read (RFC 9112 §3.2.2), and those that ask for another
protocol (RFC 9110 §7.8). Routes and answers nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

Protocol: TypeAlias = web.RequestHandler
RequestFactory: TypeAlias = (
    "Callable[[RawRequestMessage, StreamReader, Protocol, AbstractStreamWriter, asyncio.Task[None]], web.BaseRequest]"
)


KEPT = "websocket"
"""The one protocol beside which aiohttp keeps what it has not read."""


def forgiving(make: RequestFactory) -> RequestFactory:
    """``make``, for which ``http://xn--/healthz`` is ``/healthz``, and a request for another protocol the last one.

    aiohttp lets the error of such a host end the connection's task, and leaves the connection open without an answer.
    It throws away what came together with a request that asks for ``h2c``: with ``Connection: close`` in the answer
    its sender knows at once that nothing else was read (RFC 9112 §9.6).
    """

    def made(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: Protocol,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        if message.upgrade and message.headers.get(hdrs.UPGRADE, "").lower() != KEPT:
            message = message._replace(should_close=True)
        try:
            return make(message, payload, protocol, writer, task)
        except ValueError:
            path_only = message._replace(url=message.url.relative())
            return make(path_only, payload, protocol, writer, task)

    return made
