"""Marketplaces for publishers: create, list, change, delete, and a new key for their callbacks."""

from __future__ import annotations

from typing import Any

from aiohttp import hdrs, web
from pydantic import BaseModel

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.numbers import number_in_path
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.preconditions import expected, tagged
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.rest.installations.marketplace_models import (
    BrandIn,
    KeyedMarketplaceOut,
    MarketplaceChangeIn,
    MarketplaceIn,
    MarketplaceOut,
    MarketplacesOut,
)
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.errors import Unprocessable
from dispatcher.flow.sessions.marketplaces import Keyed, MarketplaceDesk, MarketplaceForm
from dispatcher.model.access import Scope
from dispatcher.model.marketplace import Brand, Marketplace
from dispatcher.policy.installing.marketplace_access import reach_of
from dispatcher.policy.strict_json import read_object
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore

_NO_STORE = {hdrs.CACHE_CONTROL: "no-store"}


async def create_marketplace(request: web.Request) -> web.StreamResponse:
    """201 with the key that signs its callbacks, which is shown only here. A given ``id`` is taken if it is free."""
    asked = await _asked(request)
    made = await _desk(request, "createMarketplace").create(_form(asked), asked.id, request.app[SERVICES].now_ms())
    return _keyed(made, 201)


async def list_marketplaces(request: web.Request) -> web.StreamResponse:
    found = await _store(request).all()
    return json_response({"data": [marketplace_json(one) for one in found]})


async def get_marketplace(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, which ``If-Match`` of a change may name."""
    found = await _store(request).get(number_in_path(request, "marketplaceId"))
    return json_response(marketplace_json(found), headers=tagged(found.modified_ms))


async def replace_marketplace(request: web.Request) -> web.StreamResponse:
    """Everything that is left out is gone, except the id, the owner and the key."""
    asked, marketplace_id = await _asked(request), number_in_path(request, "marketplaceId")
    if asked.id not in (None, marketplace_id):
        raise Unprocessable.of("read_only_field", "The id cannot be changed: leave it out.", "id")
    desk, now_ms = _desk(request, "changeMarketplace"), request.app[SERVICES].now_ms()
    with expected(request) as condition:
        changed = await desk.change(marketplace_id, _form(asked), now_ms, condition)
    return json_response(marketplace_json(changed), headers=tagged(changed.modified_ms))


async def delete_marketplace(request: web.Request) -> web.StreamResponse:
    """204. 409 while accounts belong to it."""
    store = _store(request).noted(noting(request, "deleteMarketplace"))
    with expected(request) as condition:
        await store.delete(number_in_path(request, "marketplaceId"), condition)
    return web.Response(status=204)


async def rotate_marketplace_key(request: web.Request) -> web.StreamResponse:
    """A new key for its callbacks, shown only here; the old one signs beside it for a day."""
    desk = _desk(request, "rotateMarketplaceKey")
    marketplace_id, now_ms = number_in_path(request, "marketplaceId"), request.app[SERVICES].now_ms()
    with expected(request) as condition:
        return _keyed(await desk.rotate(marketplace_id, now_ms, condition), 200)


def marketplace_json(marketplace: Marketplace) -> dict[str, Any]:
    brand = marketplace.brand
    return {
        "id": marketplace.id,
        "name": marketplace.name,
        "productIds": list(marketplace.product_ids),
        "notificationUrl": marketplace.notification_url,
        "allowedOrigins": list(marketplace.allowed_origins),
        "brand": {"logo": brand.logo, "accent": brand.accent, "language": brand.language},
        "confirm": marketplace.confirm,
        "vendorId": marketplace.vendor_id,
        "createdAt": iso_ms(marketplace.created_ms),
        "lastModified": iso_ms(marketplace.modified_ms),
    }


def _keyed(made: Keyed, status: int) -> web.Response:
    body = marketplace_json(made.marketplace) | {"signingSecret": made.signing_secret}
    return json_response(body, status, _NO_STORE | tagged(made.marketplace.modified_ms))


async def _asked(request: web.Request) -> MarketplaceIn:
    require_media(request, JSON)
    return validated(MarketplaceIn, read_object(await read_body(request)))


def _form(asked: MarketplaceIn) -> MarketplaceForm:
    brand = asked.brand or BrandIn()
    return MarketplaceForm(
        asked.name,
        tuple(asked.product_ids),
        asked.notification_url,
        tuple(asked.allowed_origins),
        Brand(brand.logo, brand.accent, brand.language),
        asked.confirm,
    )


def _store(request: web.Request) -> MarketplaceStore:
    return request.app[SERVICES].marketplaces.within(reach_of(request[CALLER]))


def _desk(request: web.Request, action: str) -> MarketplaceDesk:
    services, caller = request.app[SERVICES], request[CALLER]
    return MarketplaceDesk(
        _store(request).noted(noting(request, action)),
        services.definitions.of_vendor(caller.vendor_id),
        services.sealer,
        services.deployment.url_problem,
        reach_of(caller),
    )


_READ = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE, Scope.MARKETPLACE_PARTNER)
_WRITE = (Scope.INTEGRATIONS_WRITE,)
_ALL, _ONE = "/v1/marketplaces", "/v1/marketplaces/{marketplaceId}"

_Row = tuple[str, str, Handler, tuple[Scope, ...], str, type[BaseModel] | None, dict[int, type[BaseModel] | None]]

_ROWS: tuple[_Row, ...] = (
    ("POST", _ALL, create_marketplace, _WRITE, "Create a marketplace", MarketplaceIn, {201: KeyedMarketplaceOut}),
    ("GET", _ALL, list_marketplaces, _READ, "List marketplaces", None, {200: MarketplacesOut}),
    ("GET", _ONE, get_marketplace, _READ, "Look at a marketplace", None, {200: MarketplaceOut}),
    ("PUT", _ONE, replace_marketplace, _WRITE, "Change a marketplace", MarketplaceChangeIn, {200: MarketplaceOut}),
    ("DELETE", _ONE, delete_marketplace, _WRITE, "Delete a marketplace", None, {204: None}),
    ("POST", f"{_ONE}/rotate", rotate_marketplace_key, _WRITE, "Renew its key", None, {200: KeyedMarketplaceOut}),
)

ROUTES: tuple[Route, ...] = tuple(
    Route(*row, tag="marketplaces", vendors=True, partners=True, changes=True) for row in _ROWS
)
