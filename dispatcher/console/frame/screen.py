"""Lets signed-in clients in to a screen or an action, sends all others to the sign-in page. Shows nothing itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import quote

from aiohttp import web

from dispatcher.api.admission.metering import METERS
from dispatcher.api.deployment import Deployment
from dispatcher.api.http.overload.turns import take_turn
from dispatcher.api.http.route import CALLER, Handler
from dispatcher.api.oauth.directory import Principal
from dispatcher.api.oauth.gate import caller_of
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES
from dispatcher.api.watch.verdict import VERDICT
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.rendering import HEADERS
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.signed_in.noting import note
from dispatcher.console.signed_in.provider import OIDC
from dispatcher.console.signed_in.session import CONTEXT, ConsoleSession, life_of, read
from dispatcher.errors import Refused, StoreUnavailable
from dispatcher.model.access import Scope
from dispatcher.pages.compression import compress
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.forms import read_form, read_token
from dispatcher.pages.origin import refuse_other_sites
from dispatcher.store.access.console_sessions import SessionRecord

SIGN_IN = f"{HOME}/sign-in"
EVENTS = f"{HOME}/events"
SHOWN_TO = (Scope.EVENTS_READ, Scope.OPS_READ)
OWN_PATH = re.compile(r"/console(?!/sign-)(?:/[A-Za-z0-9][A-Za-z0-9._~:-]*)*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
"""Addresses of the console, as its forms may name them to return to."""
LIVE = "X-Live"
"""Sent by a page that refreshes itself: nobody looks, so that the session is not in use by it."""
_MAX_WANTED_CHARS = 1000


VIEWER = web.RequestKey("viewer", Viewer)

View = Callable[[web.Request, Viewer], Awaitable[web.StreamResponse]]
Act = Callable[[web.Request, Viewer, dict[str, str]], Awaitable[web.StreamResponse]]
"""With the fields of the form."""


def screen(view: View, *scopes: Scope) -> Handler:
    """The view for clients with one of ``scopes``."""

    async def serve(request: web.Request) -> web.StreamResponse:
        session, viewer = await _admitted(request)
        if session is None or viewer is None:
            return _to_sign_in(request.rel_url.raw_path_qs)
        _need(viewer, scopes, "This page")
        await take_turn(request, viewer.caller)
        response = await view(request, viewer)
        if LIVE not in request.headers:
            await renew(request, response, session)
        await compress(request, response)
        return response

    return serve


def action(act: Act, *scopes: Scope) -> Handler:
    """An act that a form of ours asks for, for clients with one of ``scopes`` who opened it in this very session."""

    async def serve(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        refuse_other_sites(request, services.deployment.base_url, HOME)
        session, viewer = await _admitted(request)
        if session is None or viewer is None:
            return _to_sign_in(HOME)
        _need(viewer, scopes, "This action")
        fields = await read_form(request)
        token = read_token(fields, services.sealer)
        if token is None or token.session_id != session.id:
            raise Refused.of(
                "form_token", "This form was opened in another session: open the page again and repeat it."
            )
        response = await act(request, viewer, fields)
        await renew(request, response, session)
        await compress(request, response)
        return response

    return serve


async def recognise(request: web.Request) -> None:
    """Note who looks, if somebody is signed in; lets nobody in."""
    await _admitted(request)


async def _admitted(request: web.Request) -> tuple[ConsoleSession | None, Viewer | None]:
    """The session and its viewer, as of now; the request is from then on that client's."""
    session = session_of(request)
    principal = await _still_good(request, session) if session else None
    if session is None or principal is None:
        return None, None
    viewer = request[VIEWER] = viewer_of(request, principal, session)
    request[CALLER] = viewer.caller
    if viewer.caller.rate_per_s:
        await request.app[METERS].admit(viewer.caller)
    return session, viewer


def _need(viewer: Viewer, scopes: tuple[Scope, ...], what: str) -> None:
    if not viewer.caller.may(*scopes):
        raise Refused.of("insufficient_scope", f"{what} needs a client with the scope {' or '.join(scopes)}.")


def _to_sign_in(wanted: str) -> web.Response:
    return redirect(f"{SIGN_IN}?next={quote(wanted)}" if len(wanted) <= _MAX_WANTED_CHARS else SIGN_IN)


def viewer_of(request: web.Request, principal: Principal, session: ConsoleSession | None = None) -> Viewer:
    services = request.app[SERVICES]
    caller = caller_of(principal, services.deployment.client_rate)
    session_id, name = (session.id, session.name) if session else ("", "")
    return Viewer(caller, services, request.app[VERDICT], services.now_ms(), session_id, name)


def redirect(location: str) -> web.Response:
    return web.Response(status=303, headers=HEADERS | {"Location": location})


def session_of(request: web.Request) -> ConsoleSession | None:
    services = request.app[SERVICES]
    session = read(_cookie(services.deployment).read(request), services.sealer)
    if session is None or not session.is_good(life_of(services.deployment, session.client_id), services.clock()):
        return None
    return session


def keep(request: web.Request, response: web.StreamResponse, session: ConsoleSession | None) -> None:
    """Have the browser keep the session; None ends it."""
    services = request.app[SERVICES]
    cookie = _cookie(services.deployment)
    if session is None:
        cookie.drop(response)
    else:
        cookie.keep(response, session.sealed(services.sealer, CONTEXT), services.deployment.session_lifetime_s)


async def renew(request: web.Request, response: web.StreamResponse, session: ConsoleSession) -> None:
    """Note in the cookie, and for the page of sessions, that it is in use, once in a while."""
    now_s = request.app[SERVICES].clock()
    if session.needs_renewal(now_s) and not response.prepared:
        keep(request, response, session.seen(now_s))
        with suppress(StoreUnavailable):
            await note(request, session.seen(now_s))


def own_path(path: str | None, otherwise: str = HOME) -> str:
    """The address to go to next, which never leads out of the console."""
    return path if path and len(path) <= _MAX_WANTED_CHARS and OWN_PATH.fullmatch(path) else otherwise


async def _still_good(request: web.Request, session: ConsoleSession) -> Principal | None:
    """The session's client, unless it was disabled, rotated or signed out meanwhile."""
    principal = await principal_of(request, session)
    if principal is None or await request.app[OAUTH].revoked.contains(session.id):
        return None
    return principal


async def principal_of(request: web.Request, whose: ConsoleSession | SessionRecord) -> Principal | None:
    """The client or person who signed in, as it is now; None = disabled, or with another secret or role."""
    if whose.role:
        oidc = request.app.get(OIDC)
        return oidc.principal(whose) if oidc is not None else None
    principal = await request.app[OAUTH].directory.find(whose.client_id)
    return principal if principal is not None and principal.stamp == whose.stamp else None


def _cookie(deployment: Deployment) -> Cookie:
    return Cookie.of(deployment, "console")
