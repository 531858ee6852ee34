"""The events that a request asks for: its filter, with keys and integrations looked up, within its caller's reach."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web
from multidict import MultiMapping

from dispatcher.api.http.overload.turns import SEARCH_TURNS, share_of
from dispatcher.api.http.route import CALLER
from dispatcher.api.rest.events.asked.filters import Asked, asked_in
from dispatcher.api.services import SERVICES
from dispatcher.flow.events.reading.reach import within_reach
from dispatcher.flow.events.reading.used_keys import with_used_keys
from dispatcher.model.queue import EventFilter
from dispatcher.model.term import Field


async def asked_for(request: web.Request, query: MultiMapping[str] | None = None) -> Asked:
    """The filter of the query; ages count from now, or from when its first page was asked for.

    ``query``: in place of the request's own.
    """
    services = request.app[SERVICES]
    asked = asked_in(request.query if query is None else query, services.now_ms())
    condition = await with_used_keys(asked.condition, request[CALLER].client_id, services.reads)
    return replace(asked, condition=condition)


async def searched_for(request: web.Request, query: MultiMapping[str] | None = None) -> Asked:
    """The same for whoever is about to search: one search of payloads at a time is a client's, the next is 429."""
    asked = await asked_for(request, query)
    if any(term.field is Field.PAYLOAD for term in asked.condition.terms):
        await request.app[SEARCH_TURNS].begin(share_of(request[CALLER]))
    return asked


async def narrowed(request: web.Request, asked: Asked) -> EventFilter | None:
    """The filter within what is the caller's by now: integrations come and go. None = nothing can meet it."""
    return await within_reach(asked.condition, request[CALLER], request.app[SERVICES].definitions)
