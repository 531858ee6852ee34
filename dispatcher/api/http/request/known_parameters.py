"""Refuses query parameters that a route does not have: a misspelt filter would otherwise list everything.

The OpenAPI document names the parameters. Only reading routes are checked, so that accepting costs nothing.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from aiohttp import web

from dispatcher.api.http.request.parameters import PARAMETERS
from dispatcher.api.http.request.query import invalid_parameter
from dispatcher.api.http.route import Handler, Route
from dispatcher.errors import InvalidRequest

Parameters = dict[str, bool]
"""Name → True if it may be given several times."""


def knowing(route: Route) -> Handler:
    """The route's handler, behind 400 ``invalid_parameter`` for a parameter that the route does not have."""
    if route.method != "GET" or route.scopes is None or not route.path.startswith("/v1/"):
        return route.handler
    handler, known = route.handler, known_parameters(route)

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            refuse_unheeded(request, known)
        return await handler(request)

    return serve


def known_parameters(route: Route) -> Parameters:
    declared = PARAMETERS.get((route.method, route.path), ())
    return {one["name"]: one["schema"].get("type") == "array" for one in declared if one["in"] == "query"}


def refuse_unheeded(request: web.Request, known: Parameters) -> None:
    """400 for a parameter that is not known, comes twice although it may not, or is no UTF-8."""
    _refuse_undecodable(request.rel_url.raw_query_string)
    for name in request.query:
        if name not in known:
            there = f"there is {', '.join(known)}" if known else "there is none"
            raise invalid_parameter(name[:255], f"There is no such parameter here; {there}.")
        if not known[name] and len(request.query.getall(name)) > 1:
            raise invalid_parameter(name, "Give it once.")


def _refuse_undecodable(query: str) -> None:
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        text = "The query is not UTF-8: percent-encode the bytes of UTF-8 (RFC 3986)."
        raise InvalidRequest.of("invalid_parameter", text) from None
