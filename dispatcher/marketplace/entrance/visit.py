"""The visitor of a marketplace: one user of one account, by a one-time link or by a password.

A page in another site's frame has a session of its own, in a cookie of its own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from dispatcher.api.services import Services
from dispatcher.model.marketplace import MarketplaceSession
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.framing import is_framed
from dispatcher.pages.session import Life, Session, opened

CONTEXT = "marketplace:session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Session):
    """A link that was opened, or a password that was right."""

    link: MarketplaceSession
    ended_user: str | None = None
    """Of the session that this one put an end to; shown once."""
    ended_account: str | None = None

    @classmethod
    def begun(cls, session: MarketplaceSession, now_s: float) -> Visit:
        return cls(id=secrets.token_urlsafe(16), since_s=int(now_s), seen_s=int(now_s), link=session)

    @classmethod
    def read(cls, document: dict[str, Any]) -> Visit:
        return cls(**document | {"link": MarketplaceSession(**document.get("link", {}))})

    def after(self, user: str, account: str) -> Visit:
        """The same, of which the first page says whose session has ended."""
        return replace(self, ended_user=user, ended_account=account)

    @property
    def told(self) -> Visit:
        return replace(self, ended_user=None, ended_account=None)


def cookie_of(services: Services, *, framed: bool) -> Cookie:
    return Cookie.of(services.deployment, "marketplace-frame" if framed else "marketplace", framed=framed)


def life_of(services: Services) -> Life:
    return Life(services.deployment.session_idle_s, services.deployment.session_lifetime_s)


def visits_in(request: web.Request, services: Services) -> list[tuple[Visit, Cookie]]:
    """The sessions of the request's cookies that may be meant and have not ended by themselves.

    What a script asks for does not say whether its page is in a frame.
    """
    places = (True, False) if request.headers.get("Sec-Fetch-Dest") == "empty" else (is_framed(request),)
    found = []
    for framed in places:
        cookie = cookie_of(services, framed=framed)
        visit = opened(Visit, cookie.read(request), services.sealer, CONTEXT)
        if visit and visit.is_good(life_of(services), services.clock()):
            found.append((visit, cookie))
    return found


def keep(response: web.StreamResponse, services: Services, visit: Visit, cookie: Cookie) -> None:
    cookie.keep(response, visit.sealed(services.sealer, CONTEXT), services.deployment.session_lifetime_s)
