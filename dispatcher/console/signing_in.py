"""Signing in with an API client's id and secret, and out again. Other sites cannot do either for a visitor."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from dispatcher.api.access import caller_of
from dispatcher.api.oauth.directory import Principal, secret_matches
from dispatcher.api.oauth.form import Presented, read_form
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.origin import address_of
from dispatcher.api.services import SERVICES
from dispatcher.console.rendering import page
from dispatcher.console.screen import HOME, SHOWN_TO, SIGN_IN, keep, redirect, session_of
from dispatcher.console.session import LIFETIME_S, Session
from dispatcher.errors import Refused

_OWN_PATH = re.compile(r"/console(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_WRONG = "Unknown client, wrong secret, or a client that may not look at anything here."


async def show_form(request: web.Request) -> web.StreamResponse:
    return _form(_wanted(request.query.get("next")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """303 to the page that was wanted; 401 and the form again when the client cannot be let in."""
    refuse_other_sites(request)
    oauth, services = request.app[OAUTH], request.app[SERVICES]
    presented = await read_form(request)
    address = address_of(request, services.settings.trusted_proxies)
    await oauth.guessing.check(address, presented.client_id)
    principal = await _let_in(request, presented)
    if principal is None:
        await oauth.guessing.wrong(address, presented.client_id)
        return _form(_wanted(presented.fields.get("next")), presented.client_id or "", _WRONG, 401)
    response = redirect(_wanted(presented.fields.get("next")))
    keep(request, response, Session.begun(principal.client_id, principal.stamp, services.clock()))
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """The session ends in this browser, and wherever else its cookie may be."""
    refuse_other_sites(request)
    if session := session_of(request):
        await request.app[OAUTH].revoked.add(session.id, LIFETIME_S)
    response = redirect(SIGN_IN)
    keep(request, response, None)
    return response


def refuse_other_sites(request: web.Request) -> None:
    """403 unless the browser says that our own page sent the form (RFC 6454 §7, Fetch Metadata)."""
    origin = urlsplit(request.headers.get(hdrs.ORIGIN, "").lower())
    public = urlsplit(request.app[SERVICES].settings.base_url.lower())
    ours = origin.netloc == request.headers.get(hdrs.HOST, "").lower() or origin[:2] == public[:2]
    if not origin.netloc or not ours or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused.of("foreign_origin", "This form was sent by another site; open the console and send it there.")


async def _let_in(request: web.Request, presented: Presented) -> Principal | None:
    found = await request.app[OAUTH].directory.find(presented.client_id or "")
    good = any(secret_matches(found, secret) for secret in presented.secrets)
    return found if found and good and caller_of(found).may(*SHOWN_TO) else None


def _wanted(path: str | None) -> str:
    """Where to go next: never out of the console."""
    return path if path and _OWN_PATH.fullmatch(path) and not path.startswith(SIGN_IN) else HOME


def _form(wanted: str, client_id: str = "", wrong: str = "", status: int = 200) -> web.Response:
    return page("sign-in.html", {"next": wanted, "given": client_id, "wrong": wrong, "client_id": None}, status)
