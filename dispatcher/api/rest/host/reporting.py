"""The product host's side: read an event, report its result. An inbound client reaches its integration only."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import hdrs, web

from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.events.actions import conclusions
from dispatcher.api.rest.events.shown.event_json import event_json
from dispatcher.api.rest.events.shown.models import EventOut
from dispatcher.api.rest.host.models import ResultIn
from dispatcher.api.rest.host.xml import prefers_xml, to_xml
from dispatcher.api.services import SERVICES, Services
from dispatcher.errors import Refused
from dispatcher.flow.events.reading.reach import reachable_event
from dispatcher.model.access import Caller, Scope
from dispatcher.model.event import no_such_event
from dispatcher.model.queue import StoredEvent
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.strict_json import read_object


async def get_own_event(request: web.Request) -> web.StreamResponse:
    """The notification's fields and where the event stands; XML when that is asked for.

    The address is the ``eventUrl`` of the emitter's answer, too, which whoever may read the event can follow.
    """
    services, caller, event_id = request.app[SERVICES], request[CALLER], request.match_info["id"]
    if caller.may(Scope.ROLE_APPLICATION):
        stored = await _own_event(services, caller, event_id)
    else:
        stored = await reachable_event(event_id, caller, services.queue, services.cache)
    return _answer(request, services, stored)


async def report_result(request: web.Request) -> web.StreamResponse:
    """200 once, and for each PENDING before. 409 for a second result, or for an event that awaits none."""
    services = request.app[SERVICES]
    stored = await _own_event(services, request[CALLER], request.match_info["id"])
    require_media(request, JSON)
    result = validated(ResultIn, read_object(await read_body(request)))
    concluded = await conclusions(services).result(stored.event.id, result.model_dump(by_alias=True))
    return _answer(request, services, concluded)


async def _own_event(services: Services, caller: Caller, event_id: str) -> StoredEvent:
    """404 when there is no such event, 403 when it is another vendor's."""
    stored = await services.queue.get(event_id)
    if stored is None:
        raise no_such_event()
    if caller.integration_id != stored.event.integration_id:
        text = "The event belongs to another integration; use the inbound client that was generated for that one."
        raise Refused.of("not_your_event", text)
    return stored


def _answer(request: web.Request, services: Services, stored: StoredEvent) -> web.Response:
    notified = _as_notified(services, stored)
    body = notified | event_json(stored, services.deployment.base_url) | {"payload": notified["payload"]}
    if prefers_xml(request.headers.get(hdrs.ACCEPT, "")):
        document = to_xml("event", body)
        return web.Response(body=document, content_type="application/xml", charset="utf-8", headers=_BY_ACCEPT)
    return json_response(body, headers=_BY_ACCEPT)


def _as_notified(services: Services, stored: StoredEvent) -> dict[str, Any]:
    """The notification as it is sent, so that fetching an event and being notified of it read alike."""
    deployment = services.deployment
    body = build_body(
        stored.event,
        stored.state,
        base_url=deployment.base_url,
        partner=deployment.partner,
        account_identifier=stored.state.account_identifier,
    )
    notified: dict[str, Any] = orjson.loads(body)
    return notified


_BY_ACCEPT = {"Vary": "Accept"}
_HOST = (Scope.ROLE_APPLICATION,)
_PATH = "/api/integration/v1/events/{id}"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        _PATH,
        get_own_event,
        (*_HOST, Scope.EVENTS_READ),
        "Read an event",
        answers={200: EventOut},
        tag="product hosts",
        vendors=True,
    ),
    Route(
        "POST",
        f"{_PATH}/result",
        report_result,
        _HOST,
        "Report the result of an event answered with 202",
        body=ResultIn,
        answers={200: EventOut},
        tag="product hosts",
    ),
)
