"""Pausing one event type in all integrations, and letting it go on. Accepts, and sends, nothing."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.operating.lane_models import TypePauseOut
from dispatcher.api.rest.operating.pausing import asked_pause, pause_json, pausing
from dispatcher.api.services import SERVICES
from dispatcher.errors import NotFound
from dispatcher.model.event_type import EventType, parse_event_type


async def pause_type(request: web.Request) -> web.StreamResponse:
    """Events of the type are accepted and held, within a second, until it is resumed or the pause ends.

    Those behind one of its account wait, too. Once more changes reason and end.
    """
    services, kind, hold = request.app[SERVICES], _type(request), await asked_pause(request)
    after = {name: value for name, value in pause_json(hold).items() if value and name != "by"}
    async with noted(request, "pauseType", "eventType", kind.value, after=after):
        await services.queue.type_pauses.pause(kind, hold, services.now_ms())
    return json_response({"type": kind.value, "paused": True, "pause": pause_json(hold)})


async def resume_type(request: web.Request) -> web.StreamResponse:
    """Its events go on within some ten seconds, in their order."""
    services, kind = request.app[SERVICES], _type(request)
    async with noted(request, "resumeType", "eventType", kind.value):
        await services.queue.type_pauses.resume(kind, services.now_ms())
    return json_response({"type": kind.value, "paused": False, "pause": None})


def _type(request: web.Request) -> EventType:
    kind = parse_event_type(request.match_info["type"])
    if kind is None:
        raise NotFound.of("not_found", "There is no such type; GET /v1/event-types lists them.", "type")
    return kind


ROUTES: tuple[Route, ...] = pausing(
    "/v1/event-types/{type}",
    (pause_type, "Hold the events of a type back everywhere", TypePauseOut),
    (resume_type, "Let them go on", TypePauseOut),
)
