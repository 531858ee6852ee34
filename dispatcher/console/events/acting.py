"""Acts on one event from the console: each is the API's use case, written down with who did it."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.rest.events.actions import conclusions
from dispatcher.console.events.page import event_page
from dispatcher.console.frame.screen import EVENTS
from dispatcher.console.frame.sentences import back
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest
from dispatcher.flow.events.acting.deliver_now import deliver_now
from dispatcher.flow.events.acting.redeliver import redeliver
from dispatcher.flow.events.reading.reach import reachable_event
from dispatcher.model.queue import StoredEvent

MAX_REASON_CHARS = 500


async def deliver_event_now(request: web.Request, viewer: Viewer, _: dict[str, str]) -> web.StreamResponse:
    stored = await _stored(request, viewer)
    async with noted(request, "deliverEventNow", "event", stored.event.id, before=_status(stored)):
        await deliver_now(stored.event.id, viewer.services.queue)
    return back(f"{EVENTS}/{stored.event.id}", "forwarded")


async def redeliver_event(request: web.Request, viewer: Viewer, _: dict[str, str]) -> web.StreamResponse:
    stored, services = await _stored(request, viewer), viewer.services
    async with noted(request, "redeliverEvent", "event", stored.event.id, before=_status(stored)):
        await redeliver(stored.event, services.queue, services.cache)
    return back(f"{EVENTS}/{stored.event.id}", "redelivered")


async def resolve_event(request: web.Request, viewer: Viewer, _: dict[str, str]) -> web.StreamResponse:
    stored = await _stored(request, viewer)
    async with noted(request, "resolveEvent", "event", stored.event.id, before=_status(stored)):
        await conclusions(viewer.services).resolve(stored.event.id)
    return back(f"{EVENTS}/{stored.event.id}", "resolved")


async def show_body(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Its content, once; who saw it and why is in the audit log."""
    stored, reason = await _stored(request, viewer), fields.get("reason", "").strip()
    if not 0 < len(reason) <= MAX_REASON_CHARS or any(ord(char) < 32 for char in reason):
        text = f"Say in 1 to {MAX_REASON_CHARS} characters why you have to see it; the audit log keeps it."
        raise InvalidRequest.of("invalid_value", text, "reason")
    async with noted(request, "showBody", "event", stored.event.id, after={"reason": reason}):
        return await event_page(request, viewer, opened=True)


async def _stored(request: web.Request, viewer: Viewer) -> StoredEvent:
    services = viewer.services
    return await reachable_event(request.match_info["id"], viewer.caller, services.queue, services.cache)


def _status(stored: StoredEvent) -> dict[str, str]:
    return {"status": stored.state.status.value}
