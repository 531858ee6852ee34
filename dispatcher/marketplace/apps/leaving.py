"""The ways out: opening an app where its users sign in, and going back to the host application."""

from __future__ import annotations

from aiohttp import hdrs, web

from dispatcher.marketplace.apps.lookups import installation_in
from dispatcher.marketplace.entrance.guest import Guest
from dispatcher.marketplace.entrance.way_back import way_back
from dispatcher.pages.security import page_headers


async def open_app(request: web.Request, guest: Guest) -> web.StreamResponse:
    """302 to where the users of the installed revision sign in, or to its bookmark."""
    installation = await installation_in(request, guest)
    location = await guest.services.customers.where_to_open(installation)
    return web.Response(
        status=302, headers=page_headers() | {hdrs.LOCATION: location, "Referrer-Policy": "no-referrer"}
    )


async def show_done(request: web.Request, guest: Guest) -> web.StreamResponse:
    message = {"type": "marketplace.done", "status": "done"}
    return guest.page("done.html", message=message, way_back=way_back(guest.marketplace, guest.visit.link.host_url))
