"""Leads requests to fixed paths straight to their handlers. Decides nothing: what is not plain goes the general way.

aiohttp looks for the route, and puts together the route's middlewares, once for each request; that costs a tenth of
accepting an event. Here both are done once for each route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, cast

from aiohttp import hdrs, web

from dispatcher.api.http.aiohttp_inside.prompt_connection import telling
from dispatcher.api.http.route import Handler

RequestHandler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def direct(app: web.Application, general: RequestHandler) -> RequestHandler:
    """``general``, the handler that aiohttp made of ``app``, with a short cut to every path that has no parameter.

    It is taken when the target of the request is that path to the letter, without a query, and nothing is expected.
    """
    known = {(route.method, path): _prepared(app, route) for path, route in _fixed(app)}

    def handle(message: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        found = known.get((message.method, message.raw_path))
        if found is None or hdrs.EXPECT in message.headers:
            return general(message)
        request = cast("web.Request", message)
        handler, request._match_info = found  # noqa: SLF001 - nothing public tells a request its route
        return handler(request)

    return handle


def _fixed(app: web.Application) -> list[tuple[str, web.AbstractRoute]]:
    resources = [resource for resource in app.router.resources() if isinstance(resource, web.PlainResource)]
    return [(resource.canonical, route) for resource in resources for route in resource]


def _prepared(app: web.Application, route: web.AbstractRoute) -> tuple[Handler, web.UrlMappingMatchInfo]:
    handler: Handler = telling(route.handler)
    for middleware in reversed(app.middlewares):
        handler = partial(middleware, handler=handler)
    match = web.UrlMappingMatchInfo({}, route)
    match.add_app(app)
    match.freeze()
    return handler, match
