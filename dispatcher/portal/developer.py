"""The person who looks at the page, and the frame in which each of its screens is shown. Holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from aiohttp import hdrs, web

from dispatcher.api.services import Services
from dispatcher.clock import iso_ms
from dispatcher.model.access import Caller, Scope
from dispatcher.model.audit_entry import Author
from dispatcher.model.integration import Integration
from dispatcher.model.portal import PortalLink
from dispatcher.pages.assets import asset
from dispatcher.pages.fields import advice
from dispatcher.pages.forms import FormToken
from dispatcher.pages.messages import Messages, choose
from dispatcher.pages.moments import moment
from dispatcher.pages.rendering import Templates
from dispatcher.pages.security import page_headers
from dispatcher.portal.looks import LOOKS
from dispatcher.portal.session import PortalSession, life_of

HOME = "/portal"
SCRIPT = asset("dispatcher.portal", "portal.js")


@dataclass(frozen=True, slots=True)
class Developer:
    """Somebody who opened a link. ``author`` is who they are in the audit log."""

    session: PortalSession
    link: PortalLink
    integration: Integration
    t: Messages
    services: Services
    author: Author
    now_ms: int

    @property
    def caller(self) -> Caller:
        """Party whose share of reads and rates the page uses up: its integration's vendor."""
        return Caller(
            f"portal:{self.integration.id}",
            frozenset({Scope.EVENTS_READ.value}),
            integration_id=self.integration.id,
            vendor_id=self.integration.vendor_id,
            rate_per_s=self.services.deployment.client_rate,
        )

    def page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        token = FormToken.of(self.session.id, self.integration.id, user=HOME, account=self.integration.name)
        given = {
            "developer": self,
            "token": token.sealed(self.services.sealer),
            "now_ms": self.now_ms,
            "ends_ms": int(self.session.ends_s(life_of(self.services)) * 1000),
        }
        return page(template, self.t, given | values, status, framed_by=self.link.framed_by)


def page(
    template: str, t: Messages, values: dict[str, Any], status: int = 200, *, framed_by: Sequence[str] = ()
) -> web.Response:
    """A screen that only the pages of ``framed_by`` may show in a frame."""
    common = {
        "t": t,
        "advise": partial(advice, t=t),
        "lang": t.language,
        "dir": t.direction,
        "script": SCRIPT.path,
        "home": HOME,
        "looks": LOOKS,
        "focus": "",
        "here": "",
        "refresh_s": None,
        "developer": None,
    }
    headers = page_headers(framed_by=framed_by, scripts=True)
    return _templates().page(template, common | values, headers=headers, status=status)


def texts_for(request: web.Request) -> Messages:
    """In the browser's language."""
    return choose((), request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


def redirect(location: str) -> web.Response:
    """To a screen of ours, with GET."""
    return web.Response(status=303, headers=page_headers() | {hdrs.LOCATION: location})


@cache
def _templates() -> Templates:
    made = Templates("dispatcher.portal")
    made.add_filters({"moment": moment, "exact": iso_ms})
    return made
