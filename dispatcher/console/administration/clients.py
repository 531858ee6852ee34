"""API clients: made, given secrets or public keys, disabled. A secret is shown on the page that made it only."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.administration.client_endings import is_from_settings
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest, RequestError, Unprocessable
from dispatcher.flow.access.clients import (
    ClientDesk,
    no_such_client,
    public_key_of,
    require_marketplaces,
    scopes_of,
)
from dispatcher.model.access import ADMIN_SCOPES, ApiClient
from dispatcher.model.roles import ROLES
from dispatcher.pages.forms import wrongs

CLIENTS = f"{HOME}/clients"
GIVEN = tuple((role, rule.who) for role, rule in ROLES.items() if rule.made_by is None)
SCOPES = tuple(sorted(scope.value for scope in ADMIN_SCOPES))
MAX_CHARS = 255


async def show_clients(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"said": False})
    return await _page(request, viewer)


async def create_client(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """The page with the secret on it; with what is wrong where nothing was made."""
    try:
        wanted = _wanted(fields, viewer.now_ms)
        await require_marketplaces(wanted.marketplaces or (), viewer.services.marketplaces)
        client, secret = await _desk(request, viewer, "createClient").create(wanted)
    except RequestError as error:
        return await _page(request, viewer, given=fields, wrong=wrongs(error), status=error.status)
    if client.public_key:
        return back(CLIENTS, "made-with-key")
    return await _page(request, viewer, made=_shown(client, secret))


async def rotate_client(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """The page with the new secret on it; tokens and sessions of the old one end within seconds."""
    client, secret = await _desk(request, viewer, "rotateClient").rotate(request.match_info["clientId"])
    return await _page(request, viewer, made=_shown(client, secret))


async def show_key(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {})
    return await _key_page(request, viewer)


async def give_key(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """It signs assertions from now on; its secret, and tokens and sessions of it, end within seconds."""
    try:
        key = public_key_of(fields.get("publicKey", ""))
        await _desk(request, viewer, "rotateClient").rotate(request.match_info["clientId"], public_key=key)
    except Unprocessable as error:
        return await _key_page(request, viewer, wrongs(error), error.status)
    return back(CLIENTS, "keyed")


async def _key_page(
    request: web.Request, viewer: Viewer, wrong: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    """The field comes back empty: what was refused may be a private key."""
    client = await viewer.services.clients.get(request.match_info["clientId"])
    if client is None:
        raise no_such_client()
    key = orjson.loads(client.public_key) if client.public_key else None
    values = {"client": client, "key": key, "wrong": wrong or {}, "from_settings": is_from_settings(request, client)}
    return viewer.page("administration/client-key.html", status, **values)


async def disable_client(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    await _desk(request, viewer, "disableClient").disable(request.match_info["clientId"])
    return back(CLIENTS, "disabled")


def _desk(request: web.Request, viewer: Viewer, action: str) -> ClientDesk:
    services = viewer.services
    clients = services.clients.noted(noting(request, action))
    return ClientDesk(clients, viewer.caller, services.deployment.client_rate)


def _wanted(fields: Mapping[str, str], now_ms: int) -> ApiClient:
    """The key is looked at first: one that may be private is then never among fields that come back."""
    key = public_key_of(fields.get("publicKey", "").strip() or None)
    account_id, vendor_id = (fields.get(name, "").strip() or None for name in ("accountId", "vendorId"))
    places = tuple(_marketplace(text) for text in fields.get("marketplaces", "").replace(",", " ").split()) or None
    picked = [scope for scope in SCOPES if fields.get(f"scope.{scope}") == "true"]
    role = next((role for role, _ in GIVEN if role.value == fields.get("role")), None)
    name = fields.get("name", "").strip()
    for field, text in (("name", name), ("accountId", account_id), ("vendorId", vendor_id)):
        if text and (len(text) > MAX_CHARS or not text.isprintable()):
            raise InvalidRequest.of("invalid_value", f"One line of {MAX_CHARS} characters at most.", field)
    scopes = scopes_of(role, picked, account_id=account_id, vendor_id=vendor_id, marketplaces=places)
    return ApiClient("", "", scopes, now_ms, name, account_id, vendor_id=vendor_id, marketplaces=places, public_key=key)


def _marketplace(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) < 2**31 and len(text) <= 10):
        raise InvalidRequest.of("invalid_value", "Give numbers of marketplaces, separated by spaces.", "marketplaces")
    return int(text)


def _shown(client: ApiClient, secret: str) -> dict[str, str]:
    return {"Client id": client.client_id, "Client secret": secret}


async def _page(
    request: web.Request,
    viewer: Viewer,
    made: dict[str, str] | None = None,
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    return viewer.page(
        "administration/clients.html",
        status,
        clients=await viewer.services.clients.all(),
        roles=[(role.value, who) for role, who in GIVEN],
        scopes=SCOPES,
        made=made or {},
        given=given or {},
        wrong=wrong or {},
        said=said(request),
    )
