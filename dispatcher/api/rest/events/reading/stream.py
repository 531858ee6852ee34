"""Status changes as Server-Sent Events. Resumes after ``Last-Event-ID``; ends with the token that opened it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import orjson
from aiohttp import hdrs, web
from aiohttp_sse import EventSourceResponse

from dispatcher.api.http.response.middleware import REQUEST_ID, REQUEST_ID_HEADER
from dispatcher.api.http.route import ADMISSION, CALLER, Route
from dispatcher.api.rest.events.asked.events import asked_for, narrowed
from dispatcher.api.rest.events.asked.filters import Asked
from dispatcher.api.services import SERVICES, Services
from dispatcher.clock import iso_ms
from dispatcher.errors import Problem, RequestError, StoreUnavailable
from dispatcher.model.access import Scope
from dispatcher.model.queue import Change, EventFilter
from dispatcher.policy.event_filter.changes import is_met_by, left_to_the_event
from dispatcher.store.queue.watching.following import ChangeFeed

LOOK_S = 1.0
"""A stream looks at its admission, and at its connection, so often though nothing happens."""
HEARTBEAT_S = 15.0
BATCH = 500
MAX_STREAMS = 200
MAX_STREAMS_OF_CLIENT = 50
"""So that no client takes them all from the others."""
LAST_EVENT_ID = "Last-Event-ID"

FEED = web.AppKey("feed", ChangeFeed)
"""Read once for all streams, and for all who wait for events."""
STREAMS = web.AppKey("streams", dict[EventSourceResponse, str])
"""Each with the id of its client."""


async def stream(request: web.Request) -> web.StreamResponse:
    """Changes by a filter, or by status, type, account and integration; without ``Last-Event-ID`` those from now on."""
    services, streams = request.app[SERVICES], request.app[STREAMS]
    asked = await asked_for(request)
    condition = await narrowed(request, asked)
    position = request.headers.get(LAST_EVENT_ID) or request.query.get("lastEventId")
    if position:
        await services.reads.changes(position, 1)
    else:
        position = await services.reads.newest_change()
    client_id = request[CALLER].client_id
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type="text/event-stream")
    _refuse_too_many(streams, client_id)
    response = EventSourceResponse(ping_interval=HEARTBEAT_S, headers={REQUEST_ID_HEADER: request[REQUEST_ID]})
    await response.prepare(request)
    streams[response] = client_id
    try:
        async with response, request.app[FEED].followed():
            await _send_changes(request, response, position, asked, condition)
    except ConnectionError:
        pass
    finally:
        streams.pop(response, None)
    return response


def _refuse_too_many(streams: Mapping[EventSourceResponse, str], client_id: str) -> None:
    own = sum(one == client_id for one in streams.values())
    if len(streams) < MAX_STREAMS and own < MAX_STREAMS_OF_CLIENT:
        return
    served = f"{MAX_STREAMS} streams" if len(streams) >= MAX_STREAMS else f"{own} streams of this client"
    text = f"This process serves {served} already; close one, or try again later."
    raise RequestError([Problem("too_many_streams", text)], 429, {"Retry-After": "30"})


async def _send_changes(
    request: web.Request, response: EventSourceResponse, position: str, asked: Asked, condition: EventFilter | None
) -> None:
    services, feed = request.app[SERVICES], request.app[FEED]
    while response.is_connected():
        admitted, news = request[CALLER], feed.news()
        if not await _is_still_admitted(request):
            return
        changes = await _changes(feed, position)
        if changes and (request[CALLER].vendor_id is not None or request[CALLER] != admitted):
            with contextlib.suppress(StoreUnavailable):
                condition = await narrowed(request, asked)
        with contextlib.suppress(StoreUnavailable):
            for change in await _wanted(services, changes, condition):
                await response.send(message(change), id=change.id, event="status")
            position = changes[-1].id if changes else position
        if len(changes) < BATCH:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await news.wait()


async def _is_still_admitted(request: web.Request) -> bool:
    """False once the client lost its token or the scope. While Redis is away nobody knows, and nothing is sent."""
    try:
        await request[ADMISSION].renewed(request)
    except RequestError:
        return False
    except StoreUnavailable:
        pass
    return True


async def _changes(feed: ChangeFeed, position: str) -> list[Change]:
    """New changes; none while Redis is away, since the stream goes on where it was."""
    try:
        return await feed.changes(position, BATCH)
    except StoreUnavailable:
        return []


async def _wanted(services: Services, changes: list[Change], condition: EventFilter | None) -> list[Change]:
    """Those that meet the condition. What a change does not know is asked of its event, as it is by now."""
    met = [change for change in changes if condition is not None and is_met_by(condition, change)]
    left = left_to_the_event(condition) if condition is not None and met else None
    if left is None:
        return met
    ids = await services.reads.meeting(left, [change.event_id for change in met])
    return [change for change in met if change.event_id in ids]


def message(change: Change) -> str:
    """The data of one message."""
    body = {
        "eventId": change.event_id,
        "status": change.status.value,
        "type": change.type.value,
        "integrationId": change.integration_id,
        "accountId": change.account_id,
        "at": iso_ms(change.at_ms),
        "attempts": change.attempt,
        "attempt": change.attempt,
        "httpStatus": change.http_status,
    }
    return orjson.dumps(body).decode()


async def end_streams(app: web.Application) -> None:
    """Let clients reconnect elsewhere when this process stops."""
    streams = app[STREAMS]
    for response in tuple(streams):
        response.stop_streaming()


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/events/stream",
        stream,
        (Scope.EVENTS_READ,),
        "Follow status changes (Server-Sent Events)",
        vendors=True,
    ),
)
