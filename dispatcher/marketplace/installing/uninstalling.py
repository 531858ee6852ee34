"""Before an app goes: what goes with it, what stays, and whether what is stored for it is kept."""

from __future__ import annotations

from aiohttp import web

from dispatcher.marketplace.apps.lookups import installation_in, product_of
from dispatcher.marketplace.apps.standing import host_of, is_leaving, name_of
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.model.installation import Installation
from dispatcher.pages.forms import Sent


async def show_uninstall(request: web.Request, guest: Guest) -> web.StreamResponse:
    installation = await installation_in(request, guest)
    if is_leaving(installation):
        return redirect(guest.path("installations", installation.id))
    product = await product_of(installation.product_id, guest)
    return guest.page(
        "uninstall.html",
        installation=installation,
        product=product,
        name=name_of(product, installation),
        host=host_of(product, installation),
        undone=sum(bool(step.completed and step.uninstaller_function) for step in installation.install),
        told=installation.order_event_id is not None,
        keeps=installation.order_event_id is not None or await _has_connector(installation, guest),
    )


async def uninstall(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """303 to how it goes, or to the apps when it is gone already."""
    installation = await installation_in(request, guest)
    guest.refuse_members()
    erase = sent.fields.get("stored") == "erase"
    left = await guest.services.customers.uninstall(installation, guest.customer, erase=erase)
    if left is None:
        return redirect(guest.path(said="gone"))
    return redirect(guest.path("installations", installation.id, said="uninstalling"))


async def _has_connector(installation: Installation, guest: Guest) -> bool:
    connectors = await guest.installing.connectors.store.of_account(guest.account.id)
    return any(one.integration_id == installation.integration_id for one in connectors)
