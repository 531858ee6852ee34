"""The events that a request asks for: its filter, with keys and integrations looked up, within its caller's reach."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.route import CALLER
from dispatcher.api.rest.filters import filter_from_query
from dispatcher.api.services import SERVICES
from dispatcher.flow.events.reach import within_reach
from dispatcher.flow.events.used_keys import with_used_keys
from dispatcher.model.queue import EventFilter


async def asked_for(request: web.Request) -> EventFilter:
    """The filter of the query; ages count from now."""
    services = request.app[SERVICES]
    asked = filter_from_query(request.query, services.now_ms())
    return await with_used_keys(asked, request[CALLER].client_id, services.reads)


async def narrowed(request: web.Request, asked: EventFilter) -> EventFilter | None:
    """The filter within what is the caller's by now: integrations come and go. None = nothing can meet it."""
    return await within_reach(asked, request[CALLER], request.app[SERVICES].definitions)
