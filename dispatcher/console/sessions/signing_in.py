"""Signing in with an API client's id and secret, and out again. Other sites cannot do either for a visitor."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.request.origin import address_of
from dispatcher.api.oauth.directory import Principal, secret_matches
from dispatcher.api.oauth.form import read_fields
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.rendering import page
from dispatcher.console.frame.screen import SIGN_IN, keep, own_path, redirect, session_of, viewer_of
from dispatcher.console.signed_in.noting import end, note, tidy
from dispatcher.console.signed_in.provider import OIDC
from dispatcher.console.signed_in.session import ConsoleSession
from dispatcher.pages.origin import refuse_other_sites

_WRONG = "Unknown client, wrong secret, or a client that may not look at anything here."


async def show_form(request: web.Request) -> web.StreamResponse:
    return _form(request, own_path(request.query.get("next")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """303 to the page that was wanted; 401 and the form again when the client cannot be let in."""
    refuse_other_sites(request, request.app[SERVICES].deployment.base_url, HOME)
    oauth, services = request.app[OAUTH], request.app[SERVICES]
    fields = await read_fields(request)
    address, client_id = address_of(request, services.deployment.trusted_proxies), fields.get("client_id")
    await oauth.lockout.check(address, client_id)
    principal = await _let_in(request, client_id or "", fields.get("client_secret", ""))
    if principal is None:
        await oauth.lockout.wrong(address, client_id)
        return _form(request, own_path(fields.get("next")), client_id or "", _WRONG, 401)
    session = ConsoleSession.begun(principal.client_id, principal.stamp, services.clock())
    return await begin(request, session, own_path(fields.get("next")))


async def begin(request: web.Request, session: ConsoleSession, wanted: str) -> web.Response:
    """303 to the page that was wanted, with the session's cookie; the one that the browser had ends."""
    await _end(request)
    await tidy(request)
    await note(request, session)
    response = redirect(wanted)
    keep(request, response, session)
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """The session ends in this browser, and wherever else its cookie may be."""
    refuse_other_sites(request, request.app[SERVICES].deployment.base_url, HOME)
    await _end(request)
    response = redirect(SIGN_IN)
    keep(request, response, None)
    return response


async def _let_in(request: web.Request, client_id: str, secret: str) -> Principal | None:
    found = await request.app[OAUTH].directory.find(client_id)
    good = secret_matches(found, secret)
    return found if found and good and viewer_of(request, found).sees_anything else None


async def _end(request: web.Request) -> None:
    """The session that the browser has, wherever else its cookie may be."""
    if session := session_of(request):
        await end(request, [session.id])


def _form(request: web.Request, wanted: str, client_id: str = "", wrong: str = "", status: int = 200) -> web.Response:
    values = {"next": wanted, "given": client_id, "wrong": wrong, "client_id": None, "oidc": request.app.get(OIDC)}
    return page("sign-in.html", values, status)
