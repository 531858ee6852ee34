"""Tells a page that the installation it shows has changed, as it happens (Server-Sent Events)."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from dispatcher.api.rest.stream import HEARTBEAT_S, STREAMS
from dispatcher.errors import Problem, RequestError
from dispatcher.marketplace.guest import Guest
from dispatcher.marketplace.lookups import installation_in

MAX_STREAMS_OF_VISIT = 8
MAX_S = 600.0
"""Then the browser connects anew, if its session is still good."""


async def follow(request: web.Request, guest: Guest) -> web.StreamResponse:
    """``changed`` whenever there is something new to be shown; the page then asks for itself."""
    installation = await installation_in(request, guest)
    streams, own = request.app[STREAMS], f"visit {guest.visit.id}"
    if sum(one == own for one in streams.values()) >= MAX_STREAMS_OF_VISIT:
        text = "Close a page of this app, or reload instead."
        raise RequestError([Problem("too_many_streams", text)], 429, {"Retry-After": "30"})
    response = EventSourceResponse(ping_interval=HEARTBEAT_S)
    await response.prepare(request)
    streams[response] = own
    telling = asyncio.create_task(_tell(response, guest, installation.id), name="live")
    try:
        async with response, asyncio.timeout(MAX_S):
            await response.wait()
    except (ConnectionError, TimeoutError):
        pass
    finally:
        streams.pop(response, None)
        telling.cancel()
        await asyncio.wait([telling])
    return response


async def _tell(response: EventSourceResponse, guest: Guest, installation_id: str) -> None:
    """The first message says that messages come."""
    with contextlib.suppress(ConnectionError):
        await response.send("", event="hello")
        async for _ in guest.services.customers.changes(installation_id):
            await response.send("", event="changed")
