"""Puts our connection, short cut and request factory in the place of aiohttp's. Serves nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from aiohttp import web

from dispatcher.api.http.aiohttp_inside.connection import Connection, connection_arguments
from dispatcher.api.http.aiohttp_inside.direct_routes import direct
from dispatcher.api.http.aiohttp_inside.expectations import meeting_expectations
from dispatcher.api.http.aiohttp_inside.prompt_connection import PromptConnection
from dispatcher.api.http.aiohttp_inside.request_line import forgiving
from dispatcher.api.http.at_once import AT_ONCE
from dispatcher.api.http.response.middleware import EDGE


def protocol_factory(app: web.Application, server: web.Server) -> Callable[[], Connection]:
    """A factory for ``loop.create_server``; ``server`` is the one that a runner made of ``app``."""
    server.request_factory = forgiving(server.request_factory)
    server.request_handler = direct(app, meeting_expectations(server.request_handler))
    kind = partial(PromptConnection, app[AT_ONCE], app[EDGE]) if AT_ONCE in app else Connection
    return partial(kind, server, loop=asyncio.get_running_loop(), **connection_arguments())
