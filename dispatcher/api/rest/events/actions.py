"""Redeliver, resolve, deliver now and expunge one event. Never decides whether it may be: the store does, at once."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.events.shown.event_json import event_json, explanation_json
from dispatcher.api.rest.events.shown.models import EventOut, ForwardedOut
from dispatcher.api.services import SERVICES, Services
from dispatcher.flow.events.acting.conclude import Conclusions
from dispatcher.flow.events.acting.deliver_now import deliver_now
from dispatcher.flow.events.acting.redeliver import redeliver
from dispatcher.flow.events.reading.reach import reachable_event
from dispatcher.model.access import Scope
from dispatcher.model.queue import StoredEvent


async def redeliver_event(request: web.Request) -> web.StreamResponse:
    """202; the event goes to the URLs that are published now. 409 unless it is DEAD, FAILED or EXPIRED."""
    services = request.app[SERVICES]
    stored = await _stored(request)
    async with noted(request, "redeliverEvent", "event", stored.event.id, before=_status(stored)):
        again = await redeliver(stored.event, services.queue, services.cache)
    return json_response(event_json(again, services.deployment.base_url), 202)


async def resolve_event(request: web.Request) -> web.StreamResponse:
    """Close the event: nothing more is sent. 409 when it has succeeded or is closed."""
    services = request.app[SERVICES]
    stored = await _stored(request)
    async with noted(request, "resolveEvent", "event", stored.event.id, before=_status(stored)):
        closed = await conclusions(services).resolve(stored.event.id)
    return json_response(event_json(closed, services.deployment.base_url))


async def deliver_event_now(request: web.Request) -> web.StreamResponse:
    """202; its next attempt is due now and counts as one. 409 unless it is RETRYING, and ``blockedBy`` if another goes
    first. Pauses, rates, open circuits and ``Retry-After`` still hold: ``explanation`` says which does."""
    services = request.app[SERVICES]
    stored = await _stored(request)
    async with noted(request, "deliverEventNow", "event", stored.event.id, before=_status(stored)):
        forwarded = await deliver_now(stored.event.id, services.queue)
    body = event_json(forwarded.stored, services.deployment.base_url)
    return json_response(body | {"explanation": explanation_json(forwarded.explanation)}, 202)


async def expunge_payload(request: web.Request) -> web.StreamResponse:
    """204; payload, creator and what hosts answered are gone, status, ids and attempts stay. 409 until it has ended."""
    stored = await _stored(request)
    async with noted(request, "expungePayload", "event", stored.event.id, before=_status(stored)):
        await request.app[SERVICES].queue.expunge(stored.event)
    return web.Response(status=204)


async def _stored(request: web.Request) -> StoredEvent:
    services = request.app[SERVICES]
    return await reachable_event(request.match_info["id"], request[CALLER], services.queue, services.cache)


def _status(stored: StoredEvent) -> dict[str, str]:
    return {"status": stored.state.status.value}


def conclusions(services: Services) -> Conclusions:
    return Conclusions(services.queue, services.cache, services.now_ms)


_WRITE = (Scope.EVENTS_WRITE,)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/events/{id}/redeliver",
        redeliver_event,
        _WRITE,
        "Send a failed event again",
        answers={202: EventOut},
        vendors=True,
    ),
    Route(
        "POST",
        "/v1/events/{id}/resolve",
        resolve_event,
        _WRITE,
        "Close an event by hand",
        answers={200: EventOut},
        vendors=True,
    ),
    Route(
        "POST",
        "/v1/events/{id}/deliver-now",
        deliver_event_now,
        (Scope.OPS_WRITE,),
        "Bring its next attempt forward",
        answers={202: ForwardedOut},
        vendors=True,
    ),
    Route(
        "DELETE",
        "/v1/events/{id}/payload",
        expunge_payload,
        (Scope.EVENTS_WRITE, Scope.OPS_WRITE),
        "Forget its content",
        answers={204: None},
        vendors=True,
    ),
)
