"""The person who looks at a page of a marketplace, and the frame in which each of its pages is shown. Holds no rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import hdrs, web

from dispatcher.api.installing import Installing
from dispatcher.api.services import Services
from dispatcher.clock import iso_ms
from dispatcher.errors import Refused
from dispatcher.flow.installations.customers import Customer
from dispatcher.marketplace.entrance.visit import Visit, life_of
from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.marketplace import Marketplace
from dispatcher.pages.assets import asset
from dispatcher.pages.brand import accent_style
from dispatcher.pages.cookies import Cookie
from dispatcher.pages.fields import advice
from dispatcher.pages.forms import FormToken
from dispatcher.pages.messages import Messages, choose
from dispatcher.pages.moments import moment
from dispatcher.pages.rendering import Templates
from dispatcher.pages.security import page_headers

HOME = "/launch/marketplace"
SCRIPT = asset("dispatcher.marketplace", "marketplace.js")
_OPENER_STAYS = {"Cross-Origin-Opener-Policy": "unsafe-none"}
"""A page in a popup tells its opener when it is done."""


@dataclass(frozen=True, slots=True)
class Guest:
    """``framed``: within a page of another site."""

    visit: Visit
    cookie: Cookie
    account: Account
    user: User
    marketplace: Marketplace
    t: Messages
    services: Services
    installing: Installing
    now_ms: int
    framed: bool

    @property
    def is_owner(self) -> bool:
        return self.user.role is UserRole.OWNER

    @property
    def customer(self) -> Customer:
        return Customer(self.account, self.user, self.marketplace, self.visit.link.complete_parameter)

    def refuse_members(self) -> None:
        """403 for whoever only uses what is installed."""
        if not self.is_owner:
            raise Refused.of("owner_only", self.t.plain("problem.owner_only"))

    def path(self, *parts: str, **query: str | None) -> str:
        """An address within the marketplace."""
        path = "/".join([HOME, str(self.marketplace.id), *(quote(part, safe="") for part in parts)])
        given = {name: value for name, value in query.items() if value is not None}
        return f"{path}?{urlencode(given)}" if given else path

    def page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        token = FormToken.of(self.visit.id, self.account.id, user=self.user.username, account=self.account.name).sealed(
            self.services.sealer
        )
        ends_ms = int(self.visit.ends_s(life_of(self.services)) * 1000)
        given: dict[str, Any] = {
            "guest": self,
            "token": token,
            "ends_ms": ends_ms,
            "now_ms": self.now_ms,
            "framed": self.framed,
        }
        return page(template, self.marketplace, self.t, given | values, status)


def page(
    template: str, marketplace: Marketplace | None, t: Messages, values: dict[str, Any], status: int = 200
) -> web.Response:
    """A page in the marketplace's colours, which only its own host applications may frame."""
    brand = accent_style(marketplace.brand.accent) if marketplace else None
    headers = page_headers(
        framed_by=marketplace.allowed_origins if marketplace else (),
        inline_styles=[brand] if brand else [],
        scripts=True,
    )
    common = {
        "t": t,
        "advise": partial(advice, t=t),
        "lang": t.language,
        "dir": t.direction,
        "brand_style": brand,
        "marketplace": marketplace,
        "script": SCRIPT.path,
        "token": None,
        "guest": None,
        "ends_ms": None,
        "framed": False,
    }
    values = common | values
    values["focus"] = "" if values["framed"] else " autofocus"
    return _templates().page(template, values, headers=headers | _OPENER_STAYS, status=status)


def texts_for(request: web.Request, visit: Visit | None, marketplace: Marketplace | None) -> Messages:
    """In the session's language, else the browser's, else the marketplace's."""
    brand = marketplace.brand.language if marketplace else None
    accepted = request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
    return choose([visit.link.language if visit else None], accepted, brand)


def redirect(location: str) -> web.Response:
    """To a page of ours, with GET."""
    return web.Response(status=303, headers=page_headers() | {hdrs.LOCATION: location})


@cache
def _templates() -> Templates:
    made = Templates("dispatcher.marketplace")
    made.add_filters({"moment": moment, "exact": iso_ms})
    return made
