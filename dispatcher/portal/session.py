"""The session of whoever opened a link to the page: a cookie that names the link, and so its one integration."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.services import SERVICES, Services
from dispatcher.model.portal import PortalLink
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.framing import is_framed
from dispatcher.pages.session import Life, Session, opened

CONTEXT = "portal:session"
IDLE_S, WHOLE_S = 1800.0, 8 * 3600.0
"""At most; a deployment may let sessions end sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession(Session):
    """``begun_ms`` is compared with the moment at which an integration's sessions were ended."""

    link_id: str
    integration_id: str
    begun_ms: int

    @classmethod
    def begun(cls, link: PortalLink, now_ms: int) -> PortalSession:
        now_s, token = now_ms // 1000, secrets.token_urlsafe(16)
        return cls(
            id=token,
            since_s=now_s,
            seen_s=now_s,
            link_id=link.id,
            integration_id=link.integration_id,
            begun_ms=now_ms,
        )


def life_of(services: Services) -> Life:
    deployment = services.deployment
    return Life(min(deployment.session_idle_s, IDLE_S), min(deployment.session_lifetime_s, WHOLE_S))


def cookie_of(services: Services, *, framed: bool) -> Cookie:
    return Cookie.of(services.deployment, "portal-frame" if framed else "portal", framed=framed)


def session_in(request: web.Request, services: Services) -> PortalSession | None:
    """The session of the request's cookie, if it has not ended by itself."""
    cookie = cookie_of(services, framed=is_framed(request)).read(request)
    session = opened(PortalSession, cookie, services.sealer, CONTEXT)
    return session if session and session.is_good(life_of(services), services.clock()) else None


def keep(request: web.Request, response: web.StreamResponse, session: PortalSession) -> None:
    services = request.app[SERVICES]
    value = session.sealed(services.sealer, CONTEXT)
    cookie_of(services, framed=is_framed(request)).keep(response, value, life_of(services).whole_s)


def drop(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser forget it."""
    cookie_of(request.app[SERVICES], framed=is_framed(request)).drop(response)
