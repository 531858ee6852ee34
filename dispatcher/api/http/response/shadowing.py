"""Fixed addresses that look like another route's parameter: what they do not take is not meant for that route."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aiohttp import hdrs, web

from dispatcher.api.http.route import Handler, Route

_PARAMETER = re.compile(r"\\\{\w+\\\}")


def shadowing(routes: Sequence[Route]) -> dict[str, frozenset[str]]:
    """Paths without a parameter that a path with one fits as well, with the methods of their own.

    ``/v1/events/batch`` takes POST: a GET there is 405, not a look at the event ``batch``.
    """
    patterns = [_pattern(path) for path in {route.path for route in routes if "{" in route.path}]
    fixed = {route.path for route in routes if "{" not in route.path}
    shadowed = [path for path in fixed if any(pattern.fullmatch(path) for pattern in patterns)]
    return {path: _methods(routes, path) for path in sorted(shadowed)}


def taking_only(methods: Iterable[str]) -> Handler:
    """A handler that refuses every request, with ``methods`` as those that the address takes."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, methods)

    return refuse


def _methods(routes: Sequence[Route], path: str) -> frozenset[str]:
    own = {route.method for route in routes if route.path == path}
    return frozenset(own | {hdrs.METH_HEAD} if hdrs.METH_GET in own else own)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("[^/]+", re.escape(path)))
