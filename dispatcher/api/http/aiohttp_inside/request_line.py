"""Takes requests whose target names a host that nobody can read (RFC 9112 §3.2.2). Routes and answers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

Protocol: TypeAlias = web.RequestHandler
RequestFactory: TypeAlias = (
    "Callable[[RawRequestMessage, StreamReader, Protocol, AbstractStreamWriter, asyncio.Task[None]], web.BaseRequest]"
)


def forgiving(make: RequestFactory) -> RequestFactory:
    """``make``, for which ``http://xn--/healthz`` is ``/healthz``.

    aiohttp lets the error of such a host end the connection's task, and leaves the connection open without an answer.
    """

    def made(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: Protocol,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        try:
            return make(message, payload, protocol, writer, task)
        except ValueError:
            path_only = message._replace(url=message.url.relative())
            return make(path_only, payload, protocol, writer, task)

    return made
