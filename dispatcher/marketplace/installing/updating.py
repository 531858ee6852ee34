"""A newer version of an app that needs something: only that is asked for, and until then the present one goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from dispatcher.errors import Unprocessable
from dispatcher.flow.installations.upkeep.upgrading import Offer
from dispatcher.marketplace.apps.lookups import installation_in, product_of
from dispatcher.marketplace.apps.standing import name_of
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.marketplace.installing.ordering import answer_wrongs, answers_of, field_of
from dispatcher.model.installation import Installation
from dispatcher.pages.fields import Field, checked, marked, typed
from dispatcher.pages.forms import Sent


async def show_update(request: web.Request, guest: Guest) -> web.StreamResponse:
    """Back to the app where nothing waits for anybody."""
    installation = await installation_in(request, guest)
    offer = await guest.services.customers.installer.upgrades.offer(installation)
    if offer is None or (installation.upgrade and installation.upgrade.begun):
        return redirect(guest.path("installations", installation.id))
    return await _page(guest, installation, offer, _fields(offer))


async def update(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """303 to the app, updated or at its new steps; 422 and the form again with what is wrong beside each field."""
    installation = await installation_in(request, guest)
    guest.refuse_members()
    here = guest.path("installations", installation.id)
    offer = await guest.services.customers.installer.upgrades.offer(installation)
    if offer is None or (installation.upgrade and installation.upgrade.begun):
        return redirect(here)
    fields = _fields(offer)
    wrong = checked(fields, sent.fields, guest.t)
    if not wrong:
        try:
            after = await guest.services.customers.upgrade(
                installation, answers_of(fields, sent.fields), guest.customer
            )
            said = None if after.upgrade else "updated"
            return redirect(guest.path("installations", installation.id, said=said))
        except Unprocessable as error:
            wrong = answer_wrongs(error)
    return await _page(guest, installation, offer, marked(typed(fields, sent.fields), wrong), wrong)


async def stay(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """303 to the app, which is as it was."""
    installation = await installation_in(request, guest)
    guest.refuse_members()
    await guest.services.customers.stay(installation, guest.customer)
    return redirect(guest.path("installations", installation.id, said="stayed"))


def _fields(offer: Offer) -> tuple[Field, ...]:
    return tuple(field_of(one, required=True) for one in offer.fields)


async def _page(
    guest: Guest,
    installation: Installation,
    offer: Offer,
    fields: Sequence[Field],
    wrong: Mapping[str, str] | None = None,
) -> web.Response:
    product = await product_of(installation.product_id, guest)
    return guest.page(
        "update.html",
        422 if wrong else 200,
        installation=installation,
        product=product,
        name=name_of(product, installation),
        fields=fields,
        steps=[step.name for step in offer.steps],
        wrong=wrong or {},
    )
