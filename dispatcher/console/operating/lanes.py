"""Pausing and resuming an integration from the console. Decides nothing: the API's use cases do."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.query import moment_ms
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.screen import own_path
from dispatcher.console.frame.sentences import back
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest, NotFound, RequestError
from dispatcher.flow.events.acting.pause import pause, resume
from dispatcher.flow.events.reading.reach import reachable_integration
from dispatcher.model.integration import Integration
from dispatcher.model.queue import Pause
from dispatcher.pages.forms import wrongs
from dispatcher.policy.pace.pauses import pause_end

LANE = f"{HOME}/lanes/{{integrationId}}"
MAX_REASON_CHARS = 500
_LASTING = (
    ("", "until somebody resumes it"),
    ("15m", "for 15 minutes"),
    ("1h", "for an hour"),
    ("4h", "for 4 hours"),
    ("24h", "for a day"),
)


async def show_pause(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    integration = await _integration(request, viewer)
    return _form(viewer, integration, request.query)


async def pause_lane(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Held at once; the form again when the reason or the end does not fit."""
    integration, services = await _integration(request, viewer), viewer.services
    try:
        hold = _hold(viewer, fields)
    except RequestError as error:
        return _form(viewer, integration, fields, wrongs(error), error.status)
    after = {"paused": True, "reason": hold.reason, "until": hold.until_ms}
    async with noted(request, "pauseLane", "lane", integration.id, after={k: v for k, v in after.items() if v}):
        await pause(integration.id, hold, services.queue, services.notify, viewer.now_ms)
    return back(own_path(fields.get("back")), "paused")


async def resume_lane(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    integration, services = await _integration(request, viewer), viewer.services
    async with noted(request, "resumeLane", "lane", integration.id, after={"paused": False}):
        newest = await services.definitions.needed(integration.id)
        await resume(newest, services.definitions, services.queue, services.notify, viewer.now_ms)
    return back(own_path(fields.get("back")), "resumed")


def _hold(viewer: Viewer, fields: dict[str, str]) -> Pause:
    reason, lasting, until = (
        fields.get("reason", "").strip(),
        fields.get("for") or None,
        fields.get("until", "").strip(),
    )
    if len(reason) > MAX_REASON_CHARS or any(ord(char) < 32 for char in reason):
        raise InvalidRequest.of("invalid_value", f"Give one line of {MAX_REASON_CHARS} characters at most.", "reason")
    until_ms = moment_ms({"until": until}, "until") if until else None
    return Pause(viewer.caller.client_id, reason, pause_end(lasting, until_ms, viewer.now_ms))


def _form(
    viewer: Viewer,
    integration: Integration,
    given: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    name = integration.name or integration.id
    values = {"integration": integration, "name": name, "given": given, "wrong": wrong or {}, "lasting": _LASTING}
    return viewer.page("pause.html", status, back=own_path(given.get("back")), **values)


async def _integration(request: web.Request, viewer: Viewer) -> Integration:
    found = await reachable_integration(request.match_info["integrationId"], viewer.caller, viewer.services.cache)
    if found is None:
        raise NotFound.of("not_found", "There is no such integration; it was deleted, or its id is wrong.")
    return found
