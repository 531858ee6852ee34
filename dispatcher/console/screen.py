"""Lets signed-in clients in to a screen, and sends all others to the sign-in page. Shows nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from dispatcher.api.deployment import Deployment
from dispatcher.api.http.route import Handler
from dispatcher.api.http.turns import take_turn
from dispatcher.api.metering import METERS
from dispatcher.api.oauth.directory import Principal
from dispatcher.api.oauth.gate import caller_of
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES, Services
from dispatcher.console.rendering import HEADERS, page
from dispatcher.console.session import CONTEXT, ConsoleSession, read
from dispatcher.errors import Refused
from dispatcher.model.access import Caller, Scope
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.session import RENEWED_AFTER_S, Life

HOME = "/console"
SIGN_IN = f"{HOME}/sign-in"
EVENTS = f"{HOME}/events"
SHOWN_TO = (Scope.EVENTS_READ, Scope.OPS_READ)
_MAX_WANTED_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and when (epoch ms)."""

    caller: Caller
    services: Services
    now_ms: int

    @property
    def sees_queue(self) -> bool:
        """True for clients without an account and a vendor: the queue shows every integration."""
        return self.caller.may(Scope.OPS_READ) and self.caller.account_id is None and self.caller.vendor_id is None

    @property
    def sees_events(self) -> bool:
        return self.caller.may(Scope.EVENTS_READ)

    @property
    def sees_anything(self) -> bool:
        return self.sees_queue or self.sees_events

    async def names(self, integration_ids: Iterable[str]) -> dict[str, str]:
        """Names of the integrations that exist, can be read, and are within reach."""
        if not self.caller.may(Scope.INTEGRATIONS_READ):
            return {}
        found = (await self.services.cache.load(integrations=integration_ids)).integrations
        return {one.id: one.name for one in found.values() if self.caller.reaches(one.vendor_id)}

    def page(self, template: str, **values: Any) -> web.Response:
        return page(template, {"viewer": self, "client_id": self.caller.client_id, "now_ms": self.now_ms} | values)


VIEWER = web.RequestKey("viewer", Viewer)

View = Callable[[web.Request, Viewer], Awaitable[web.StreamResponse]]


def screen(view: View, *scopes: Scope) -> Handler:
    """The view for clients with one of ``scopes``."""

    async def serve(request: web.Request) -> web.StreamResponse:
        session = session_of(request)
        principal = await _still_good(request, session) if session else None
        if session is None or principal is None:
            wanted = request.rel_url.raw_path_qs
            return redirect(f"{SIGN_IN}?next={quote(wanted)}" if len(wanted) <= _MAX_WANTED_CHARS else SIGN_IN)
        viewer = request[VIEWER] = viewer_of(request, principal)
        if viewer.caller.rate_per_s:
            await request.app[METERS].admit(viewer.caller)
        if not viewer.caller.may(*scopes):
            text = f"This page needs a client with the scope {' or '.join(scopes)}."
            raise Refused.of("insufficient_scope", text)
        await take_turn(request, viewer.caller)
        response = await view(request, viewer)
        renew(request, response, session)
        return response

    return serve


def viewer_of(request: web.Request, principal: Principal) -> Viewer:
    services = request.app[SERVICES]
    return Viewer(caller_of(principal, services.deployment.client_rate), services, services.now_ms())


def redirect(location: str) -> web.Response:
    return web.Response(status=303, headers=HEADERS | {"Location": location})


def session_of(request: web.Request) -> ConsoleSession | None:
    services = request.app[SERVICES]
    session = read(_cookie(services.deployment).read(request), services.sealer)
    return session if session and session.is_good(life_of(services.deployment), services.clock()) else None


def keep(request: web.Request, response: web.StreamResponse, session: ConsoleSession | None) -> None:
    """Have the browser keep the session; None ends it."""
    services = request.app[SERVICES]
    cookie = _cookie(services.deployment)
    if session is None:
        cookie.drop(response)
    else:
        cookie.keep(response, session.sealed(services.sealer, CONTEXT), services.deployment.session_lifetime_s)


def renew(request: web.Request, response: web.StreamResponse, session: ConsoleSession) -> None:
    """Note in the cookie that its session is in use, once in a while."""
    now_s = request.app[SERVICES].clock()
    if now_s - session.seen_s > RENEWED_AFTER_S and not response.prepared:
        keep(request, response, session.seen(now_s))


def life_of(deployment: Deployment) -> Life:
    return Life(deployment.session_idle_s, deployment.session_lifetime_s)


async def _still_good(request: web.Request, session: ConsoleSession) -> Principal | None:
    """The session's client, unless it was disabled, rotated or signed out meanwhile."""
    oauth = request.app[OAUTH]
    principal = await oauth.directory.find(session.client_id)
    if principal is None or principal.stamp != session.stamp or await oauth.revoked.contains(session.id):
        return None
    return principal


def _cookie(deployment: Deployment) -> Cookie:
    return Cookie.of(deployment, "console")
