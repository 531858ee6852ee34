"""Pausing and resuming an integration from the console. Decides nothing: the API's use cases do."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.operating.holds import Held, asked_hold, done, hold_form, noted_of
from dispatcher.errors import NotFound, RequestError
from dispatcher.flow.events.acting.pause import pause, resume
from dispatcher.flow.events.reading.reach import reachable_integration
from dispatcher.model.integration import Integration
from dispatcher.pages.forms import wrongs

LANE = f"{HOME}/lanes/{{integrationId}}"


async def show_pause(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return hold_form(viewer, _held(await _integration(request, viewer)), request.query)


async def pause_lane(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Held at once; the form again when the reason or the end does not fit."""
    integration, services = await _integration(request, viewer), viewer.services
    try:
        hold = asked_hold(viewer, fields)
    except RequestError as error:
        return hold_form(viewer, _held(integration), fields, wrongs(error), error.status)
    async with noted(request, "pauseLane", "lane", integration.id, after={"paused": True} | noted_of(hold)):
        await pause(integration.id, hold, services.queue, services.notify, viewer.now_ms)
    return await done(viewer, fields, "paused")


async def resume_lane(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    integration, services = await _integration(request, viewer), viewer.services
    async with noted(request, "resumeLane", "lane", integration.id, after={"paused": False}):
        newest = await services.definitions.needed(integration.id)
        await resume(newest, services.definitions, services.queue, services.notify, viewer.now_ms)
    return await done(viewer, fields, "resumed")


def _held(integration: Integration) -> Held:
    return Held(
        integration.name or integration.id,
        integration.id,
        "Its events are accepted and held, in their order, until it is resumed. Nothing is lost.",
        f"{HOME}/lanes/{integration.id}/pause",
    )


async def _integration(request: web.Request, viewer: Viewer) -> Integration:
    found = await reachable_integration(request.match_info["integrationId"], viewer.caller, viewer.services.cache)
    if found is None:
        raise NotFound.of("not_found", "There is no such integration; it was deleted, or its id is wrong.")
    return found
