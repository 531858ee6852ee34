"""Marketplaces: brand, products, allowed origins and where callbacks go; the key that signs these is shown once."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.customers.reach import accounts_of, marketplace_desk, marketplaces_of, number
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.precondition import as_drawn
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import RequestError
from dispatcher.flow.sessions.marketplaces import MarketplaceForm
from dispatcher.model.access import Scope
from dispatcher.model.marketplace import Brand, Marketplace
from dispatcher.pages.fields import Field, Kind, marked, typed
from dispatcher.pages.forms import wrongs

MARKETPLACES = f"{HOME}/marketplaces"
NEW = Marketplace(0, "", 0, 0)
_LINES = ("productIds", "allowedOrigins")


async def show_marketplaces(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"said": False})
    found, accounts = await marketplaces_of(viewer).all(), await accounts_of(request, viewer)
    counts = {one.id: await accounts.count(one.id) for one in found}
    return viewer.page(
        "customers/marketplaces.html", marketplaces=found, counts=counts, edits=_edits(viewer), said=said(request)
    )


async def show_marketplace(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return _page(request, viewer, await _marketplace(request, viewer))


async def show_new_marketplace(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return _page(request, viewer, NEW)


async def create_marketplace(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """The page of the new one with its key on it."""
    try:
        wanted = number(fields["id"], "id") if fields.get("id") else None
        desk = marketplace_desk(viewer, noting(request, "createMarketplace"))
        made = await desk.create(_form(fields), wanted, viewer.now_ms)
    except RequestError as error:
        return _page(request, viewer, NEW, error.status, fields, error)
    return _page(request, viewer, made.marketplace, made=made.signing_secret)


async def save_marketplace(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    found = await _marketplace(request, viewer)
    try:
        desk = marketplace_desk(viewer, noting(request, "changeMarketplace"))
        await desk.change(found.id, _form(fields), viewer.now_ms, as_drawn(fields))
    except RequestError as error:
        return _page(request, viewer, found, error.status, fields, error)
    return back(f"{MARKETPLACES}/{found.id}", "saved")


async def rotate_key(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """The page with the new key on it; the old one signs beside it for a day."""
    found = await _marketplace(request, viewer)
    desk = marketplace_desk(viewer, noting(request, "rotateMarketplaceKey"))
    made = await desk.rotate(found.id, viewer.now_ms)
    return _page(request, viewer, made.marketplace, made=made.signing_secret)


def _fields(marketplace: Marketplace) -> tuple[Field, ...]:
    brand = marketplace.brand
    new = marketplace.id == NEW.id
    lines = "one a line"
    return (
        *((Field("id", "Number", hint="empty = the next that is free"),) if new else ()),
        Field("name", "Name", value=marketplace.name, required=True),
        Field("notificationUrl", "Callbacks go to", Kind.URL, marketplace.notification_url or ""),
        Field("brand.accent", "Accent", value=brand.accent or "", hint="#rrggbb"),
        Field("brand.language", "Language", value=brand.language or "", hint="en, de; empty = the visitor's"),
        Field("brand.logo", "Logo", value=brand.logo or "", hint="a path here, or data:image/…"),
        Field("confirm", "A link opens only after a click", Kind.CHECK, "true" if marketplace.confirm else ""),
        Field("productIds", "Products, in this order", Kind.AREA, "\n".join(marketplace.product_ids), hint=lines),
        Field(
            "allowedOrigins",
            "Origins that may show it in a frame",
            Kind.AREA,
            "\n".join(marketplace.allowed_origins),
            hint=f"{lines}; none = no frame at all",
        ),
    )


def _form(fields: Mapping[str, str]) -> MarketplaceForm:
    given = {name: text.strip() for name, text in fields.items()}
    products, origins = (tuple(given.get(name, "").split()) for name in _LINES)
    brand = Brand(*(given.get(f"brand.{name}") or None for name in ("logo", "accent", "language")))
    notification_url, confirm = given.get("notificationUrl") or None, given.get("confirm") == "true"
    return MarketplaceForm(given.get("name", ""), products, notification_url, origins, brand, confirm)


def _page(
    request: web.Request,
    viewer: Viewer,
    marketplace: Marketplace,
    status: int = 200,
    given: Mapping[str, str] | None = None,
    error: RequestError | None = None,
    made: str = "",
) -> web.Response:
    shown = typed(_fields(marketplace), given) if given else _fields(marketplace)
    names, wrong = {one.name for one in shown}, {}
    problems = []
    for name, text in (wrongs(error) if error else {}).items():
        owner = next((part for part in (name, name.partition(".")[0], f"brand.{name}") if part in names), None)
        if owner:
            wrong[owner] = text
        else:
            problems.append(text)
    return viewer.page(
        "customers/marketplace.html",
        status,
        marketplace=marketplace,
        new=marketplace.id == NEW.id,
        fields=marked(shown, wrong),
        problems=problems,
        modified=(given or {}).get("modified") or str(marketplace.modified_ms),
        edits=_edits(viewer),
        made={"Signing key": made} if made else {},
        said=said(request),
    )


async def _marketplace(request: web.Request, viewer: Viewer) -> Marketplace:
    return await marketplaces_of(viewer).get(number(request.match_info["marketplaceId"], "marketplaceId"))


def _edits(viewer: Viewer) -> bool:
    return viewer.caller.may(Scope.INTEGRATIONS_WRITE)
