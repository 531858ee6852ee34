"""A sign-in that is under way elsewhere: what came of it is believed in the browser that began it, and once.

All of it is in a cookie, sealed; no process has to remember it.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

import orjson
from aiohttp import web

from dispatcher.api.services import SERVICES
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.session import MAX_COOKIE_CHARS
from dispatcher.store.secrets.sealing import SealError

GOOD_S = 600
_CONTEXT = "console:oidc"


@dataclass(frozen=True, slots=True)
class Pending:
    """``state`` is what the browser has to bring back, ``nonce`` what the token has to hold, and ``verifier`` what the
    code is worth nothing without (RFC 7636). ``wanted``: the page to go to next.
    """

    state: str
    nonce: str
    verifier: str
    wanted: str
    begun_s: int

    @classmethod
    def begun(cls, wanted: str, now_s: float) -> Pending:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), wanted, int(now_s))

    def is_answered_by(self, state: str | None, now_s: float) -> bool:
        fresh = 0 <= now_s - self.begun_s < GOOD_S
        return fresh and secrets.compare_digest(self.state.encode(), (state or "").encode("utf-8", "replace"))


def keep(request: web.Request, response: web.StreamResponse, pending: Pending | None) -> None:
    """Have the browser keep it; None = it is over."""
    cookie, services = _cookie(request), request.app[SERVICES]
    if pending is None:
        cookie.drop(response)
    else:
        cookie.keep(response, services.sealer.seal(orjson.dumps(asdict(pending)).decode(), _CONTEXT), GOOD_S)


def pending_in(request: web.Request) -> Pending | None:
    """The one that this browser began; None for any other cookie."""
    kept = _cookie(request).read(request)
    if not kept or len(kept) > MAX_COOKIE_CHARS:
        return None
    try:
        return Pending(**orjson.loads(request.app[SERVICES].sealer.open(kept, _CONTEXT)))
    except (SealError, TypeError, ValueError):
        return None


def _cookie(request: web.Request) -> Cookie:
    return Cookie.of(request.app[SERVICES].deployment, "console-sign-in")
