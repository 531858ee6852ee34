"""The subject of an address: a product of the marketplace, an installation of the account. 404 for anything else."""

from __future__ import annotations

from aiohttp import web

from dispatcher.errors import NotFound
from dispatcher.flow.installations.making.shown_products import ShownProduct, shown_products
from dispatcher.marketplace.entrance.guest import Guest
from dispatcher.model.installation import Installation


async def product_in(request: web.Request, guest: Guest) -> ShownProduct:
    """One that can be installed."""
    found = await product_of(request.match_info["productId"], guest)
    if found is None or found.revision is None:
        raise NotFound.of("not_found", guest.t.plain("problem.text_404"))
    return found


async def product_of(product_id: str | None, guest: Guest) -> ShownProduct | None:
    products = await shown_products(guest.services.cache, guest.marketplace) if product_id else ()
    return next((one for one in products if one.id == product_id), None)


async def installation_in(request: web.Request, guest: Guest) -> Installation:
    return await guest.services.customers.get(guest.account.id, request.match_info["installationId"])
