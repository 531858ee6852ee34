"""A link is opened by one click, not by looking: scanners and previews use nothing up. And the session ends here."""

from __future__ import annotations

import re

from aiohttp import web

from dispatcher.api.rest.definitions.portal_links import OPEN_PATH, PORTAL_LINKS
from dispatcher.api.services import SERVICES
from dispatcher.model.portal import Opening, PortalLink
from dispatcher.pages.forms import Sent, read_form
from dispatcher.pages.origin import refuse_other_sites
from dispatcher.portal.admission import end_session
from dispatcher.portal.author import author_of
from dispatcher.portal.developer import HOME, Developer, page, redirect, texts_for
from dispatcher.portal.session import PortalSession, drop, keep, session_in
from dispatcher.store.audit_log.log import Noting

MAX_TOKEN_CHARS = 200
_ID = re.compile(r"[0-9a-f]{32}")


async def show_link(request: web.Request) -> web.StreamResponse:
    """200 whatever the link: what it is for is told only to whoever has its token."""
    return _form(request, await _link(request))


async def open_link(request: web.Request) -> web.StreamResponse:
    """303 to the deliveries with a session; 410 and why when the link opens nothing."""
    services, link_id = request.app[SERVICES], request.match_info["id"]
    refuse_other_sites(request, services.deployment.base_url, HOME)
    token = (await read_form(request)).get("token", "").strip().rpartition("#")[2]
    if not token:
        return _form(request, await _link(request), missing=True)
    opening, link = Opening.UNKNOWN, None
    if _ID.fullmatch(link_id) and len(token) <= MAX_TOKEN_CHARS:
        noting = Noting(services.audit, author_of(request, link_id), "openPortalLink", services.now_ms())
        opening, link = await request.app[PORTAL_LINKS].noted(noting).open(link_id, token, noting.at_ms)
    if opening is not Opening.OPENED or link is None:
        return page("dead-link.html", texts_for(request), {"why": opening.value}, 410)
    if before := session_in(request, services):
        await end_session(request, before)
    response = redirect(HOME)
    keep(request, response, PortalSession.begun(link, services.now_ms()))
    return response


async def leave(request: web.Request, developer: Developer, sent: Sent) -> web.StreamResponse:
    """The session ends in this browser, and wherever else its cookie may be."""
    await end_session(request, developer.session)
    response = page("left.html", developer.t, {}, framed_by=developer.link.framed_by)
    drop(request, response)
    return response


async def _link(request: web.Request) -> PortalLink | None:
    link_id = request.match_info["id"]
    return await request.app[PORTAL_LINKS].find(link_id) if _ID.fullmatch(link_id) else None


def _form(request: web.Request, link: PortalLink | None, *, missing: bool = False) -> web.Response:
    """Without a script one pastes the address; with one there is only the button."""
    values = {"action": f"{OPEN_PATH}/{request.match_info['id']}", "missing": missing}
    framed_by = link.framed_by if link else ()
    return page("open.html", texts_for(request), values, 400 if missing else 200, framed_by=framed_by)
