"""Lets whoever opened a link in to the screens of its integration, and takes forms from our own pages only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from dispatcher.api.admission.metering import METERS
from dispatcher.api.http.overload.turns import take_turn
from dispatcher.api.http.route import Handler
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.rest.definitions.portal_links import PORTAL_LINKS
from dispatcher.api.services import SERVICES
from dispatcher.errors import Refused
from dispatcher.pages.forms import Sent, read_form, read_token
from dispatcher.pages.origin import refuse_other_sites
from dispatcher.portal.author import author_of
from dispatcher.portal.developer import HOME, Developer, page, texts_for
from dispatcher.portal.session import PortalSession, keep, session_in

DEVELOPER = web.RequestKey("developer", Developer)


View = Callable[[web.Request, Developer], Awaitable[web.StreamResponse]]
Act = Callable[[web.Request, Developer, Sent], Awaitable[web.StreamResponse]]


def screen(view: View) -> Handler:
    """The view for whoever opened a link."""

    async def serve(request: web.Request) -> web.StreamResponse:
        developer = await developer_of(request)
        if developer is None:
            return not_opened(request)
        await take_turn(request, developer.caller)
        return _renewed(request, developer, await view(request, developer))

    return serve


def action(act: Act) -> Handler:
    """An act that a form of ours asks for, if it was made for this session."""

    async def serve(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        refuse_other_sites(request, services.deployment.base_url, HOME)
        developer = await developer_of(request)
        if developer is None:
            return not_opened(request)
        fields = await read_form(request)
        token = read_token(fields, services.sealer)
        if token is None or (token.session_id, token.account_id) != (developer.session.id, developer.integration.id):
            raise Refused.of("form_token", developer.t.plain("problem.form_old"))
        return _renewed(request, developer, await act(request, developer, Sent(fields, token.once)))

    return serve


async def developer_of(request: web.Request) -> Developer | None:
    """The developer who opened a link, unless the session has ended since."""
    services = request.app[SERVICES]
    session = session_in(request, services)
    found = await _developer(request, session) if session else None
    if found is not None:
        request[DEVELOPER] = found
        if found.caller.rate_per_s:
            await request.app[METERS].admit(found.caller)
    return found


def not_opened(request: web.Request) -> web.Response:
    """401, and where to get another link."""
    return page("not-opened.html", texts_for(request), {}, 401)


async def end_session(request: web.Request, session: PortalSession) -> None:
    """The session is over, wherever its cookie may be."""
    lifetime_s = int(request.app[SERVICES].deployment.session_lifetime_s)
    await request.app[OAUTH].revoked.add(session.id, lifetime_s)


async def _developer(request: web.Request, session: PortalSession) -> Developer | None:
    """None also where the integration is another vendor's by now, or the link's maker is let in no more."""
    services, links, oauth = request.app[SERVICES], request.app[PORTAL_LINKS], request.app[OAUTH]
    ended, ended_ms, link, integration = await asyncio.gather(
        oauth.revoked.contains(session.id),
        links.ended_ms(session.integration_id),
        links.find(session.link_id),
        services.definitions.integration(session.integration_id),
    )
    if ended or session.begun_ms <= ended_ms or link is None or integration is None:
        return None
    if link.integration_id != integration.id or link.vendor_id != integration.vendor_id:
        return None
    if await oauth.directory.find(link.made_by) is None:
        return None
    author = author_of(request, link.id)
    return Developer(session, link, integration, texts_for(request), services, author, services.now_ms())


def _renewed(request: web.Request, developer: Developer, response: web.StreamResponse) -> web.StreamResponse:
    """Note in the cookie that its session is in use, once in a while."""
    now_s = developer.now_ms / 1000
    if developer.session.needs_renewal(now_s) and not response.prepared:
        keep(request, response, developer.session.seen(now_s))
    return response
