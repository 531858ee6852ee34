"""``POST /v1.0/users/marketplace`` and ``/v1.0/users/launch``: a one-time link for a host application's user."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.api.embedding.connector_fields import connector_in
from dispatcher.api.embedding.fields import Fields, read_fields
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.installing import INSTALLING
from dispatcher.api.services import SERVICES
from dispatcher.api.session_counts import ISSUED
from dispatcher.clock import iso_ms
from dispatcher.flow.sessions.open_session import Asker, Issued, SessionAsked
from dispatcher.flow.sessions.passwords import MAX_PASSWORD_BYTES
from dispatcher.model.access import Scope
from dispatcher.model.account import UserRole
from dispatcher.policy.addresses.launch_urls import launch_url
from dispatcher.policy.installing.marketplace_access import reach_of

SIGN_IN_PATH = "/account/signinwithtoken"
MARKETPLACE_PATH = "/launch/marketplace"
_NO_STORE = {"Cache-Control": "no-store"}
_ROLES = {role.value.casefold(): role for role in UserRole}


async def create_marketplace_session(request: web.Request) -> web.StreamResponse:
    """Makes account, user and connector as far as they are not there, and a link that opens once, within 5 minutes.

    Names of fields may be in any case. Repeating the call of a new account finds the one that it made.
    """
    return await _created(request, "MarketplaceUrl", launch=False)


async def create_launch_session(request: web.Request) -> web.StreamResponse:
    """As POST /v1.0/users/marketplace. Without MarketplaceId: to the only one, else where the account was last."""
    return await _created(request, "LaunchUrl", launch=True)


async def _created(request: web.Request, url_name: str, *, launch: bool) -> web.StreamResponse:
    services, installing, caller = request.app[SERVICES], request.app[INSTALLING], request[CALLER]
    asked = session_in(await read_fields(request), launch=launch)
    reach = await services.marketplaces.within(reach_of(caller)).reach()
    noted = noting(request, "createLaunchSession" if launch else "createMarketplaceSession")
    issued = await installing.sessions.issue(asked, Asker(caller.client_id, reach), services.now_ms(), noted)
    installing.counts.link(ISSUED)
    body: dict[str, Any] = {
        "AccountId": issued.account_id,
        "ExpiresAtUtc": iso_ms(issued.expires_ms),
        url_name: link_url(services.deployment.base_url, issued),
        "Token": issued.token,
    }
    return json_response(body, headers=_NO_STORE)


def link_url(base_url: str, issued: Issued) -> str:
    """The user's way in. Its target is told once more, as host applications expect; nothing relies on it."""
    target = f"{base_url}{MARKETPLACE_PATH}/{issued.marketplace_id}"
    return f"{base_url}{SIGN_IN_PATH}?token={quote(issued.token, safe='')}&returnUrl={quote(target, safe=':/')}"


def session_in(fields: Fields, *, launch: bool) -> SessionAsked:
    """400 with the first thing that is wrong."""
    connector = fields.inner("PartnerConnector")
    asked = SessionAsked(
        fields.needed("Username"),
        _password(fields),
        fields.number("MarketplaceId"),
        fields.account_id("AccountId"),
        fields.text("AccountName"),
        connector_in(connector) if connector else None,
        fields.truth("InlineOAuth", default=True),
        fields.text("CompleteParameter", 4096),
        fields.text("ProductId"),
        fields.text("Language", 35),
        _host_url(fields),
        _role(fields),
        launch,
    )
    if asked.account_id is None and asked.account_name is None:
        raise fields.missing("AccountName")
    return asked


def _password(fields: Fields) -> str:
    password = fields.secret("Password", MAX_PASSWORD_BYTES)
    if not password:
        raise fields.missing("Password")
    return password


def _host_url(fields: Fields) -> str | None:
    text = fields.text("HostUrl", 2048)
    if text is not None and launch_url(text) is None:
        raise fields.wrong("HostUrl", "Give an absolute http or https URL.")
    return text


def _role(fields: Fields) -> UserRole:
    text = fields.text("Role")
    if text is None:
        return UserRole.OWNER
    role = _ROLES.get(text.casefold())
    if role is None:
        raise fields.wrong("Role", "Give Owner or Member.")
    return role


_PARTNER = (Scope.MARKETPLACE_PARTNER,)
_ROWS: tuple[tuple[str, Handler, str], ...] = (
    ("/v1.0/users/marketplace", create_marketplace_session, "Make a one-time link to a marketplace"),
    ("/v1.0/users/launch", create_launch_session, "Make a one-time link, without naming the marketplace"),
)

ROUTES: tuple[Route, ...] = tuple(
    Route("POST", path, handler, _PARTNER, summary, answers={200: None}, tag="embedding", vendors=True, partners=True)
    for path, handler, summary in _ROWS
)
