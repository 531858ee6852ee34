"""The events that a request asks for: its filter, with keys and integrations looked up, within its caller's reach."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.route import CALLER
from dispatcher.api.http.turns import SEARCH_TURNS, share_of
from dispatcher.api.rest.filters import filter_from_query
from dispatcher.api.services import SERVICES
from dispatcher.flow.events.reach import within_reach
from dispatcher.flow.events.used_keys import with_used_keys
from dispatcher.model.queue import EventFilter
from dispatcher.model.term import Field


async def asked_for(request: web.Request) -> EventFilter:
    """The filter of the query; ages count from now."""
    services = request.app[SERVICES]
    asked = filter_from_query(request.query, services.now_ms())
    return await with_used_keys(asked, request[CALLER].client_id, services.reads)


async def searched_for(request: web.Request) -> EventFilter:
    """The same for whoever is about to search: one search of payloads at a time is a client's, the next is 429."""
    asked = await asked_for(request)
    if any(term.field is Field.PAYLOAD for term in asked.terms):
        await request.app[SEARCH_TURNS].begin(share_of(request[CALLER]))
    return asked


async def narrowed(request: web.Request, asked: EventFilter) -> EventFilter | None:
    """The filter within what is the caller's by now: integrations come and go. None = nothing can meet it."""
    return await within_reach(asked, request[CALLER], request.app[SERVICES].definitions)
