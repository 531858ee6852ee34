"""Tells a page that the installation it shows has changed, as it happens (Server-Sent Events)."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web
from aiohttp_sse import EventSourceResponse

from dispatcher.api.rest.events.reading.stream import HEARTBEAT_S, STREAMS
from dispatcher.errors import NotFound, Problem, RequestError
from dispatcher.marketplace.apps.lookups import installation_in
from dispatcher.marketplace.entrance.guest import Guest

MAX_STREAMS_OF_VISIT = 8
MAX_S = 600.0
"""Then the browser connects anew, if its session is still good."""


async def follow(request: web.Request, guest: Guest) -> web.StreamResponse:
    """``changed`` whenever there is something new to be shown; the page then asks for itself."""
    installation_id = await _id_in(request, guest)
    streams, own = request.app[STREAMS], f"visit {guest.visit.id}"
    if sum(one == own for one in streams.values()) >= MAX_STREAMS_OF_VISIT:
        text = "Close a page of this app, or reload instead."
        raise RequestError([Problem("too_many_streams", text)], 429, {"Retry-After": "30"})
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type="text/event-stream")
    response = EventSourceResponse(ping_interval=HEARTBEAT_S)
    await response.prepare(request)
    streams[response] = own
    telling = asyncio.create_task(_tell(response, guest, installation_id), name="live")
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


async def _id_in(request: web.Request, guest: Guest) -> str:
    """Empty for what is gone, perhaps since the page was made, and for what was never the account's."""
    try:
        return (await installation_in(request, guest)).id
    except NotFound:
        return ""


async def _tell(response: EventSourceResponse, guest: Guest, installation_id: str) -> None:
    """The first message names the state as of now, so that a page that was made before it asks anew."""
    changes = guest.services.customers.changes(installation_id)
    change = asyncio.ensure_future(anext(changes))
    name = "hello"
    try:
        await asyncio.sleep(0)  # from here on every change is heard
        while (current := await guest.services.installer.find(installation_id)) is not None:
            await response.send(str(current.modified_ms), event=name)
            name = "changed"
            await change
            change = asyncio.ensure_future(anext(changes))
        await response.send("", event="gone")
    except ConnectionError:
        pass
    finally:
        change.cancel()
        await asyncio.wait([change])
