"""Users of an account's apps, and those who may install and uninstall."""

from __future__ import annotations

from aiohttp import web

from dispatcher.errors import NotFound
from dispatcher.marketplace.apps.lookups import installation_in, product_of
from dispatcher.marketplace.apps.standing import name_of
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.model.account import User, UserRole
from dispatcher.pages.forms import Sent


async def show_people(request: web.Request, guest: Guest) -> web.StreamResponse:
    installation = await installation_in(request, guest)
    product = await product_of(installation.product_id, guest)
    colleagues = await guest.installing.accounts.users_of(guest.account.id)
    urls = product.revision.urls if product and product.revision else {}
    return guest.page(
        "people.html",
        installation=installation,
        product=product,
        name=name_of(product, installation),
        colleagues=colleagues,
        owners=sum(one.role is UserRole.OWNER for one in colleagues),
        assigned=installation.assigned,
        tells="assignUrl" in urls or "unassignUrl" in urls,
    )


async def assign(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """Or unassign. Asking twice changes nothing."""
    installation, colleague = await installation_in(request, guest), await _colleague(guest, sent)
    people = guest.services.colleagues
    change = people.unassign if sent.fields.get("do") == "unassign" else people.assign
    await change(installation, colleague, guest.customer)
    return redirect(guest.path("installations", installation.id, "people"))


async def give_role(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    installation, colleague = await installation_in(request, guest), await _colleague(guest, sent)
    guest.refuse_members()
    role = UserRole.MEMBER if sent.fields.get("do") == "member" else UserRole.OWNER
    await guest.services.colleagues.give_role(colleague, role, guest.customer)
    return redirect(guest.path("installations", installation.id, "people"))


async def _colleague(guest: Guest, sent: Sent) -> User:
    found = await guest.installing.accounts.user(sent.fields.get("user", ""))
    if found is None or found.account_id != guest.account.id:
        raise NotFound.of("not_found", guest.t.plain("problem.text_404"))
    return found
