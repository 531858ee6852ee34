"""The page of sessions: one's own, or everybody's for those who administer clients; ends one, or all others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.scopes import SEES_CLIENTS
from dispatcher.console.frame.screen import principal_of
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.signed_in.noting import CONSOLE_SESSIONS, end, is_good
from dispatcher.errors import NotFound
from dispatcher.store.access.console_sessions import SessionRecord

SESSIONS = f"{HOME}/sessions"
SHOWN = 200


async def show_sessions(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """The one used last first."""
    refuse_unheeded(request, {"said": False})
    found = await _reachable(request, viewer)
    return viewer.page(
        "sessions.html",
        sessions=found[:SHOWN],
        more=max(0, len(found) - SHOWN),
        mine=sum(one.client_id == viewer.caller.client_id and one.id != viewer.session_id for one in found),
        others=sum(one.id != viewer.session_id for one in found),
        sees_all=_sees_all(viewer),
        said=said(request),
    )


async def end_session(request: web.Request, viewer: Viewer, _: dict[str, str]) -> web.StreamResponse:
    """303 to the page; 404 for a session that has ended, or is somebody else's."""
    session_id = request.match_info["sessionId"]
    one = next((one for one in await _reachable(request, viewer) if one.id == session_id), None)
    if one is None:
        raise NotFound.of("not_found", "There is no such session; it has ended, or is not yours.")
    await _end(request, [one])
    return back(SESSIONS, "session-ended")


async def end_other_sessions(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """All but this one: one's own, and with ``everybody`` all that one reaches."""
    found, everybody = await _reachable(request, viewer), bool(fields.get("everybody"))
    others = [one for one in found if one.id != viewer.session_id]
    await _end(request, [one for one in others if everybody or one.client_id == viewer.caller.client_id])
    return back(SESSIONS, "sessions-ended")


async def _end(request: web.Request, sessions: Sequence[SessionRecord]) -> None:
    for whose in sorted({one.client_id for one in sessions}):
        ids = [one.id for one in sessions if one.client_id == whose]
        async with noted(request, "endConsoleSessions", "client", whose, after={"sessions": len(ids)}):
            await end(request, ids)


async def _reachable(request: web.Request, viewer: Viewer) -> list[SessionRecord]:
    """Sessions that are good at this moment, of oneself, or of everybody for those who may end clients."""
    records = await request.app[CONSOLE_SESSIONS].all()
    deployment, now_s, own = viewer.services.deployment, viewer.services.clock(), viewer.caller.client_id
    good = [one for one in records if is_good(one, deployment, now_s) and (_sees_all(viewer) or one.client_id == own)]
    alive = await asyncio.gather(*(_is_alive(request, one) for one in good))
    return [one for one, is_alive in zip(good, alive, strict=True) if is_alive]


async def _is_alive(request: web.Request, record: SessionRecord) -> bool:
    """False for one that was ended, or whose client was disabled or rotated since."""
    if await request.app[OAUTH].revoked.contains(record.id):
        return False
    return await principal_of(request, record) is not None


def _sees_all(viewer: Viewer) -> bool:
    return viewer.may_see(SEES_CLIENTS) and not viewer.bound
