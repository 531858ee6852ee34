"""Lets whoever is signed in to a marketplace in to its screens, and takes forms from our own pages only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from dispatcher.api.http.route import Handler
from dispatcher.api.installing import INSTALLING
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES
from dispatcher.errors import Refused
from dispatcher.marketplace.entrance.guest import HOME, Guest, page, texts_for
from dispatcher.marketplace.entrance.handover import QUERY
from dispatcher.marketplace.entrance.visit import Visit, cookie_of, keep, visits_in
from dispatcher.marketplace.entrance.way_back import way_back
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.forms import FormToken, Sent, read_form, read_token
from dispatcher.pages.framing import is_framed
from dispatcher.pages.origin import refuse_other_sites

GUEST = web.RequestKey("guest", Guest)
MAX_ID = 2**31 - 1


View = Callable[[web.Request, Guest], Awaitable[web.StreamResponse]]
Act = Callable[[web.Request, Guest, Sent], Awaitable[web.StreamResponse]]


def screen(view: View) -> Handler:
    """The view for whoever is signed in."""

    async def serve(request: web.Request) -> web.StreamResponse:
        guest = await guest_of(request)
        if guest is None:
            return await not_signed_in(request)
        return _renewed(guest, await view(request, guest))

    return serve


def action(act: Act) -> Handler:
    """An act that a form of ours asks for, if whoever opened it is who is signed in."""

    async def serve(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        refuse_other_sites(request, services.deployment.base_url, HOME)
        guest = await guest_of(request)
        if guest is None:
            return await not_signed_in(request)
        fields = await read_form(request)
        token = read_token(fields, services.sealer)
        if token is None:
            raise Refused.of("form_token", guest.t.plain("problem.form_old"))
        if (token.session_id, token.account_id) != (guest.visit.id, guest.account.id):
            return of_another_session(guest, token)
        return _renewed(guest, await act(request, guest, Sent(fields, token.once)))

    return serve


async def guest_of(request: web.Request) -> Guest | None:
    """The guest who is signed in to the marketplace that the address names."""
    return await guest_at(request, marketplace_id_in(request))


async def guest_at(request: web.Request, marketplace_id: int | None) -> Guest | None:
    """The guest who is signed in to that marketplace."""
    for visit, cookie in visits_in(request, request.app[SERVICES]):
        if visit.link.marketplace_id == marketplace_id and (found := await _guest(request, visit, cookie)):
            request[GUEST] = found
            return found
    return None


def marketplace_id_in(request: web.Request) -> int | None:
    text = request.match_info.get("marketplaceId", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= MAX_ID else None


async def not_signed_in(request: web.Request) -> web.Response:
    """The page that says where to go instead: a window of its own for a frame in which the browser keeps nothing."""
    marketplace_id, marketplaces = marketplace_id_in(request), request.app[SERVICES].marketplaces
    marketplace = await marketplaces.find(marketplace_id) if marketplace_id is not None else None
    t = texts_for(request, None, marketplace)
    framed = is_framed(request)
    values = {"framed": framed, "ticket": request.query.get(QUERY), "way_back": way_back(marketplace, None)}
    return page("window.html" if framed else "not-signed-in.html", marketplace, t, values, 401)


async def _guest(request: web.Request, visit: Visit, cookie: Cookie) -> Guest | None:
    """The guest, unless signed out, or the account's sessions were ended, meanwhile."""
    services, installing = request.app[SERVICES], request.app[INSTALLING]
    ended, account, user, marketplace = await asyncio.gather(
        request.app[OAUTH].revoked.contains(visit.id),
        installing.accounts.find(visit.link.account_id),
        installing.accounts.user(visit.link.user_id),
        services.marketplaces.find(visit.link.marketplace_id),
    )
    if ended or account is None or user is None or marketplace is None:
        return None
    if account.session_epoch != visit.link.epoch or user.account_id != account.id:
        return None
    t = texts_for(request, visit, marketplace)
    framed = cookie.framed
    return Guest(visit, cookie, account, user, marketplace, t, services, installing, services.now_ms(), framed)


def _renewed(guest: Guest, response: web.StreamResponse) -> web.StreamResponse:
    """Note in the cookie that its session is in use, once in a while, and that its first page was shown."""
    now_s, visit = guest.now_ms / 1000, guest.visit
    shown = response.status == 200 and visit.ended_user is not None
    if (shown or visit.needs_renewal(now_s)) and not response.prepared:
        keep(response, guest.services, (visit.told if shown else visit).seen(now_s), guest.cookie)
    return response


def of_another_session(guest: Guest, token: FormToken) -> web.Response:
    """409, and who opened the form, and who is signed in now."""
    return guest.page("other-session.html", 409, opened_by=token)


async def end_visit(request: web.Request, visit: Visit) -> None:
    """The session is over, wherever its cookie may be."""
    services = request.app[SERVICES]
    await request.app[OAUTH].revoked.add(visit.id, int(services.deployment.session_lifetime_s))


async def begin(request: web.Request, response: web.StreamResponse, visit: Visit, *, framed: bool) -> None:
    """Have the browser keep the session. Another one that it kept ends, and the first page says whose."""
    services, accounts = request.app[SERVICES], request.app[INSTALLING].accounts
    for before, _ in visits_in(request, services):
        if before.id == visit.id:
            continue
        await end_visit(request, before)
        if (before.link.account_id, before.link.user_id) != (visit.link.account_id, visit.link.user_id):
            user, account = await accounts.user(before.link.user_id), await accounts.find(before.link.account_id)
            if user and account:
                visit = visit.after(user.username, account.name)
    keep(response, services, visit, cookie_of(services, framed=framed))
