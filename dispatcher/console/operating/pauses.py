"""All that is paused: types of event everywhere, integrations, and every integration at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.screen import own_path
from dispatcher.console.frame.sentences import said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.frame.words import TYPE_WORDS
from dispatcher.console.operating.holds import Held, asked_hold, done, hold_form, noted_of
from dispatcher.console.operating.overview import verdict_for
from dispatcher.errors import NotFound, RequestError
from dispatcher.flow.events.acting.pause_all import pause_all, paused_lanes, resume_all
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import TypePause
from dispatcher.model.verdict import Finding, ProblemKind
from dispatcher.pages.forms import wrongs

PAUSES = f"{HOME}/pauses"
TYPE = f"{HOME}/event-types/{{type}}"
_EVERYTHING = Held(
    "every integration",
    "",
    "Events of all integrations are accepted and held, in their order, until they are resumed. Nothing is lost. "
    "Integrations that are made later are not paused.",
    f"{PAUSES}/all/pause",
)


@dataclass(frozen=True, slots=True)
class TypeRow:
    """``held`` None = it is not paused."""

    kind: EventType
    held: TypePause | None


async def show_pauses(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Types that are paused first."""
    refuse_unheeded(request, {"said": False})
    held = {one.kind: one for one in await viewer.services.reads.type_pauses.all(viewer.now_ms)}
    rows = sorted((TypeRow(kind, held.get(kind)) for kind in EventType), key=lambda row: row.held is None)
    integrations = await _paused_integrations(viewer)
    return viewer.page("pauses.html", rows=rows, types=len(held), integrations=integrations, said=said(request))


async def _paused_integrations(viewer: Viewer) -> Sequence[Finding]:
    """As the verdict lists them."""
    found = [problem.finding for problem in (await verdict_for(viewer)).problems]
    return [one for one in found if one.kind is ProblemKind.PAUSED and one.integration_id is not None]


async def show_type_pause(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return hold_form(viewer, _held(_kind(request)), {"back": PAUSES, **request.query})


async def pause_type(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Held within a second; the form again when the reason or the end does not fit."""
    kind = _kind(request)
    try:
        hold = asked_hold(viewer, fields)
    except RequestError as error:
        return hold_form(viewer, _held(kind), fields, wrongs(error), error.status)
    async with noted(request, "pauseType", "eventType", kind.value, after=noted_of(hold)):
        await viewer.services.queue.type_pauses.pause(kind, hold, viewer.now_ms)
    return await done(viewer, fields, "type-paused")


async def resume_type(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    kind = _kind(request)
    async with noted(request, "resumeType", "eventType", kind.value):
        await viewer.services.queue.type_pauses.resume(kind, viewer.now_ms)
    return await done(viewer, fields, "type-resumed")


async def show_pause_everything(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return hold_form(viewer, _EVERYTHING, {"back": PAUSES, **request.query})


async def pause_everything(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    services = viewer.services
    try:
        hold = asked_hold(viewer, fields)
    except RequestError as error:
        return hold_form(viewer, _EVERYTHING, fields, wrongs(error), error.status)
    async with noted(request, "pauseAllLanes", "lane", "all", after=noted_of(hold)):
        await pause_all(hold, services.definitions, services.queue, services.notify, viewer.now_ms)
    return await done(viewer, fields, "paused")


async def show_resume_everything(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Says how many integrations and events it concerns, and asks."""
    held = await paused_lanes(viewer.services.definitions, viewer.services.queue)
    return viewer.page("resume.html", held=held, back=own_path(request.query.get("back"), PAUSES))


async def resume_everything(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    services = viewer.services
    async with noted(request, "resumeAllLanes", "lane", "all"):
        await resume_all(services.definitions, services.queue, services.notify, viewer.now_ms)
    return await done(viewer, fields, "resumed")


def _held(kind: EventType) -> Held:
    return Held(
        f"“{TYPE_WORDS[kind]}” everywhere",
        kind.value,
        "Events of this type are accepted and held in all integrations until it is resumed; "
        "later events of their accounts wait behind them. Nothing is lost.",
        f"{HOME}/event-types/{kind.value}/pause",
    )


def _kind(request: web.Request) -> EventType:
    try:
        return EventType(request.match_info["type"])
    except ValueError:
        raise NotFound.of("not_found", "There is no such type of event; the page of pauses lists them.") from None
