"""Events: a list under conditions, and one event with its attempts and why it is where it is."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict

from dispatcher.api.http.known_parameters import refuse_unheeded
from dispatcher.api.rest.filters import filter_from_query
from dispatcher.console.viewer import Viewer
from dispatcher.flow.events.explain import sentence
from dispatcher.flow.events.reach import reachable_event, within_reach
from dispatcher.model.event import no_such_event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Page
from dispatcher.model.status import Status

LIMIT = 50
CONDITIONS = ("status", "type", "productId", "accountId", "integrationId", "from", "to")
"""The fields of the form, which sends those too that were left empty."""
KNOWN = dict.fromkeys((*CONDITIONS, "cursor"), False)


async def show_events(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Newest first, under the conditions of ``GET /v1/events``."""
    refuse_unheeded(request, KNOWN)
    services, query = viewer.services, MultiDict((name, value) for name, value in request.query.items() if value)
    asked = filter_from_query(query, services.now_ms())
    condition = await within_reach(asked, viewer.caller, services.definitions)
    found = Page([], None)
    if condition is not None:
        found = await services.reads.page(condition, query.get("cursor"), LIMIT, complete=False, payloads=False)
    chosen = {"status": ",".join(sorted(asked.statuses)), "type": ",".join(sorted(asked.types))}
    given = {name: query.get(name, "") for name in CONDITIONS} | chosen
    further = {name: value for name, value in given.items() if value} | {"cursor": found.next_cursor}
    return viewer.page(
        "events.html",
        items=found.items,
        given=given,
        statuses=list(Status),
        types=list(EventType),
        older=f"?{urlencode(further)}" if found.next_cursor else None,
    )


async def show_event(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    services, event_id = viewer.services, request.match_info["id"]
    stored = await reachable_event(event_id, viewer.caller, services.reads, services.cache)
    explained = await services.reads.explain(event_id)
    if explained is None:
        raise no_such_event()
    return viewer.page(
        "event.html",
        event=stored.event,
        state=stored.state,
        why=sentence(explained),
        explained=explained,
        attempts=await services.reads.attempts(event_id) or [],
        name=(await viewer.names([stored.event.integration_id])).get(stored.event.integration_id),
        base_url=services.deployment.base_url,
    )
