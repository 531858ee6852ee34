"""/v1/definitions/{id}/suspended-urls: URLs that answered 410 Gone, and enabling them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.models import Wire
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.errors import NotFound
from dispatcher.flow.events.acting.suspended_urls import enable_url, suspended_urls
from dispatcher.model.access import Scope
from dispatcher.model.event_type import EventType, parse_event_type
from dispatcher.model.integration import Integration


class SuspendedUrlOut(Wire):
    """``eventType`` null: no type goes there any more. ``published``: it is in what is published now."""

    event_type: str | None
    url: str
    since: str
    published: bool


class SuspendedUrlsOut(Wire):
    data: list[SuspendedUrlOut]


class EnabledUrlOut(Wire):
    """``released``: parked events that go on. ``wasSuspended`` false: nothing was, and nothing has changed."""

    integration_id: str
    event_type: str
    was_suspended: bool
    released: int


async def list_suspended_urls(request: web.Request) -> web.StreamResponse:
    """Longest suspended first; one entry for each event type that goes there."""
    services, integration = request.app[SERVICES], await _integration(request)
    found = await suspended_urls(integration, services.definitions, services.queue)
    data = [
        {
            "eventType": one.event_type.value if one.event_type else None,
            "url": one.url,
            "since": iso_ms(one.since_ms),
            "published": one.published,
        }
        for one in found
    ]
    return json_response({"data": data})


async def enable_suspended_url(request: web.Request) -> web.StreamResponse:
    """Its parked events go on, oldest first; those of a URL that is published no more go to the published one."""
    services, integration, kind = request.app[SERVICES], await _integration(request), _type(request)
    async with noted(request, "enableSuspendedUrl", "lane", integration.id, after={"eventType": kind.value}):
        enabled = await enable_url(integration, kind, services.definitions, services.queue)
    body = {"integrationId": integration.id, "eventType": kind.value}
    return json_response(body | {"wasSuspended": enabled.was_suspended, "released": enabled.released})


async def _integration(request: web.Request) -> Integration:
    """As the store has it now: a URL may have been published a moment ago."""
    return await request.app[SERVICES].definitions.of_vendor(request[CALLER].vendor_id).needed(request.match_info["id"])


def _type(request: web.Request) -> EventType:
    kind = parse_event_type(request.match_info["type"])
    if kind is None:
        text = "There is no such event type; GET /v1/event-types lists those that there are."
        raise NotFound.of("not_found", text, "type")
    return kind


_PATH = "/v1/definitions/{id}/suspended-urls"
_ACT = (Scope.OPS_WRITE, Scope.INTEGRATIONS_WRITE)
_LOOK = (Scope.OPS_READ, Scope.INTEGRATIONS_READ, *_ACT)
_TAG = "operations"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        _PATH,
        list_suspended_urls,
        _LOOK,
        "List URLs that answered 410 Gone",
        answers={200: SuspendedUrlsOut},
        tag=_TAG,
        vendors=True,
    ),
    Route(
        "POST",
        f"{_PATH}/{{type}}/enable",
        enable_suspended_url,
        _ACT,
        "Send to a suspended URL again",
        answers={200: EnabledUrlOut},
        tag=_TAG,
        vendors=True,
    ),
)
