"""GET /launch/products/…: the link behind a product's tile. Takes no address from the request."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.route import Route
from dispatcher.api.services import SERVICES
from dispatcher.flow.integrations.products.launch import where_to_open

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


async def launch(request: web.Request) -> web.StreamResponse:
    """302 to the published ``initiateLoginUrl``, or to the bookmark's ``landingUrl``."""
    location = await where_to_open(request.app[SERVICES].cache, request.match_info["productId"])
    return web.Response(status=302, headers=_HEADERS | {"Location": location})


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/launch/products/{productId}",
        launch,
        None,
        "Open a product: redirects to where its users sign in",
        answers={302: None},
        tag="launch",
    ),
)
