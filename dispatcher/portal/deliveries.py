"""An integration's deliveries: what needs somebody, a list, and one event with its attempts and why it is there."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from aiohttp import web

from dispatcher.api.auditing import written_down
from dispatcher.flow.events.acting.redeliver import redeliver
from dispatcher.model.audit_entry import Action
from dispatcher.model.event import no_such_event
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import FAILURES, TERMINAL, Status
from dispatcher.pages.forms import Sent
from dispatcher.portal.developer import HOME, Developer, redirect
from dispatcher.portal.reasons import reason
from dispatcher.portal.standing import standing_of

ON_A_PAGE = 25
MAX_PAYLOAD_CHARS = 65_536
EVENTS = f"{HOME}/events"

SHOWN: dict[str, frozenset[Status]] = {
    "all": frozenset(),
    "failed": FAILURES,
    "open": frozenset(Status) - TERMINAL,
    "delivered": frozenset({Status.SUCCEEDED}),
}
"""Choices of the list; no status = any."""


async def show_deliveries(request: web.Request, developer: Developer) -> web.StreamResponse:
    """Newest first."""
    chosen, cursor = request.query.get("show", "all"), request.query.get("cursor") or None
    chosen = chosen if chosen in SHOWN else "all"
    condition = EventFilter(integration_id=developer.integration.id, statuses=SHOWN[chosen])
    reads = developer.services.reads
    found, standing = await asyncio.gather(
        reads.page(condition, cursor, ON_A_PAGE, complete=False, payloads=False),
        standing_of(developer),
    )
    older = f"{HOME}?{urlencode({'show': chosen, 'cursor': found.next_cursor})}" if found.next_cursor else None
    return developer.page(
        "deliveries.html",
        items=found.items,
        standing=standing,
        chosen=chosen,
        choices=list(SHOWN),
        older=older,
        first=cursor is None,
    )


async def show_event(request: web.Request, developer: Developer) -> web.StreamResponse:
    stored = await _own(request, developer)
    event_id, reads = stored.event.id, developer.services.reads
    explained, attempts = await asyncio.gather(reads.explain(event_id), reads.attempts(event_id))
    if explained is None:
        raise no_such_event()
    return developer.page(
        "event.html",
        event=stored.event,
        state=stored.state,
        why=reason(explained, developer),
        blocked_by=explained.blocked_by,
        attempts=attempts or [],
        may_redeliver=stored.state.status in FAILURES,
        redelivered="redelivered" in request.query,
        max_chars=MAX_PAYLOAD_CHARS,
    )


async def redeliver_event(request: web.Request, developer: Developer, sent: Sent) -> web.StreamResponse:
    """303 to the event. 409 unless it is DEAD, FAILED or EXPIRED."""
    stored, services = await _own(request, developer), developer.services
    before = {"status": stored.state.status.value}
    action = Action(developer.author, "redeliverEvent", "event", stored.event.id, developer.now_ms, before)
    async with written_down(services.audit, action):
        await redeliver(stored.event, services.queue, services.cache)
    return redirect(f"{EVENTS}/{stored.event.id}?redelivered")


async def _own(request: web.Request, developer: Developer) -> StoredEvent:
    """Raises ``NotFound`` for an event of any other integration, as for one that is not there."""
    stored = await developer.services.queue.get(request.match_info["id"])
    if stored is None or stored.event.integration_id != developer.integration.id:
        raise no_such_event()
    return stored
