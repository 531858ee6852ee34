"""Reading events: one, its attempts, its explanation, lists. Never changes any."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from dispatcher.api.http.overload.turns import take_turn
from dispatcher.api.http.request.query import integer, invalid_parameter
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.events.asked.events import narrowed, searched_for
from dispatcher.api.rest.events.reading.export import export_events, is_export
from dispatcher.api.rest.events.reading.waiting import WAITS
from dispatcher.api.rest.events.shown.event_json import (
    attempt_json,
    event_json,
    explanation_json,
    iso_or_none,
    page_json,
)
from dispatcher.api.rest.events.shown.models import AttemptsOut, EventCountOut, EventOut, EventPageOut, ExplanationOut
from dispatcher.api.services import SERVICES, Services
from dispatcher.errors import RequestError
from dispatcher.flow.events.reading.reach import reachable_event, reached
from dispatcher.model.access import Scope
from dispatcher.model.event import no_such_event
from dispatcher.model.queue import Count, EventFilter, Page, StoredEvent

MAX_WAIT_S = 30
MAX_LIMIT = 1000
DEFAULT_LIMIT = 50
MAX_SKIPPED = 1_000
"""Events that ``page`` may skip, in one look for all of them; to read further, follow ``nextCursor``."""


async def get_event(request: web.Request) -> web.StreamResponse:
    """With ``wait`` the answer comes as soon as the event is terminal, or after that many seconds."""
    services = request.app[SERVICES]
    wait_s = integer(request.query, "wait", 0, 0, MAX_WAIT_S)
    stored = await _stored(request)
    if wait_s and not stored.state.consumed:
        found = await request.app[WAITS].until_ended(request, stored.event.id, wait_s)
        stored = await reached(found, request[CALLER], services.cache)
    return json_response(event_json(stored, services.deployment.base_url))


async def _stored(request: web.Request) -> StoredEvent:
    """The event of the path, or 404 when it does not exist for this caller."""
    services = request.app[SERVICES]
    return await reachable_event(request.match_info["id"], request[CALLER], services.reads, services.cache)


async def get_attempts(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
    stored = await _stored(request)
    attempts = await services.reads.attempts(stored.event.id)
    return json_response([attempt_json(attempt) for attempt in attempts or []])


async def get_explanation(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
    stored = await _stored(request)
    found = await services.reads.explain(stored.event.id)
    if found is None:
        raise no_such_event()
    return json_response(explanation_json(found))


async def list_events(request: web.Request) -> web.StreamResponse:
    """Newest first. ``page`` and ``size`` are another way to say ``cursor`` and ``limit``."""
    if is_export(request):
        return await export_events(request)
    await take_turn(request, request[CALLER])
    services, query = request.app[SERVICES], request.query
    asked = await searched_for(request)
    condition = await narrowed(request, asked)
    size = integer(query, "size", DEFAULT_LIMIT, 1, MAX_LIMIT)
    limit = integer(query, "limit", size, 1, MAX_LIMIT)
    number = integer(query, "page", 1, 1, 10**15 - 1)
    if (number - 1) * limit > MAX_SKIPPED:
        raise _too_far()
    if condition is None:
        return json_response(page_json(Page([], None), services.deployment.base_url))
    cursor = asked.cursor
    if cursor is None and number > 1:
        cursor = await _cursor_behind(services, condition, (number - 1) * limit)
        if cursor is None:
            return json_response(page_json(Page([], None), services.deployment.base_url))
    page = await services.reads.page(condition, cursor, limit, complete=False)
    page = replace(page, next_cursor=asked.onward(page.next_cursor))
    return json_response(page_json(page, services.deployment.base_url))


async def count_events(request: web.Request) -> web.StreamResponse:
    """Exactly, of failed or open events; of others those that one page's search meets, and how far that came."""
    condition = await narrowed(request, await searched_for(request))
    found = await request.app[SERVICES].reads.count(condition) if condition else Count(0)
    body = {"matched": found.matched, "exact": found.searched_to_ms is None}
    return json_response(body | ({} if body["exact"] else {"searchedTo": iso_or_none(found.searched_to_ms)}))


async def _cursor_behind(services: Services, condition: EventFilter, skipped: int) -> str | None:
    """The cursor behind so many events, which are looked for once and not loaded; None = there are no more."""
    page = await services.reads.page(condition, None, skipped, complete=False, payloads=False)
    if len(page.items) < skipped and page.next_cursor is not None:
        raise _too_far()
    return page.next_cursor


def _too_far() -> RequestError:
    how = f"Pages may skip the newest {MAX_SKIPPED} events; to read further, give cursor: nextCursor of an answer."
    return invalid_parameter("page", how)


_READ = (Scope.EVENTS_READ,)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/events",
        list_events,
        _READ,
        "List events, newest first",
        answers={200: EventPageOut},
        vendors=True,
    ),
    Route(
        "GET",
        "/v1/events/count",
        count_events,
        _READ,
        "Count events that a filter finds",
        answers={200: EventCountOut},
        vendors=True,
        reads_much=True,
    ),
    Route("GET", "/v1/events/{id}", get_event, _READ, "Look at an event", answers={200: EventOut}, vendors=True),
    Route(
        "GET",
        "/v1/events/{id}/attempts",
        get_attempts,
        _READ,
        "List its attempts",
        answers={200: AttemptsOut},
        vendors=True,
    ),
    Route(
        "GET",
        "/v1/events/{id}/explain",
        get_explanation,
        _READ,
        "Why it waits",
        answers={200: ExplanationOut},
        vendors=True,
    ),
)
