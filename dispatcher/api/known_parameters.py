"""Refuses query parameters that a route does not have: a filter with a typo would list, and mislead, like no filter.

Known are those that the OpenAPI document names. Looks at reading routes only, so that accepting costs nothing.
"""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.openapi_parameters import PARAMETERS
from dispatcher.api.query import invalid_parameter
from dispatcher.api.route import Handler, Route


def knowing(route: Route) -> Handler:
    """The route's handler; 400 ``invalid_parameter`` for what it would not heed."""
    if route.method != "GET" or route.scopes is None or not route.path.startswith("/v1/"):
        return route.handler
    handler, known = route.handler, known_parameters(route)

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            _refuse_unknown(request, known)
        return await handler(request)

    return serve


def known_parameters(route: Route) -> tuple[str, ...]:
    declared = PARAMETERS.get((route.method, route.path), ())
    return tuple(one["name"] for one in declared if one["in"] == "query")


def _refuse_unknown(request: web.Request, known: tuple[str, ...]) -> None:
    for name in request.query:
        if name not in known:
            there = f"there is {', '.join(known)}" if known else "there is none"
            raise invalid_parameter(name[:255], f"There is no such parameter here; {there}.")
