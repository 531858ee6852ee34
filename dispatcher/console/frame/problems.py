"""An error as a page, with the way back of whoever is signed in."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.watch.verdict import VERDICT
from dispatcher.console.frame.rendering import page
from dispatcher.console.frame.screen import SIGN_IN, VIEWER, recognise
from dispatcher.errors import NotFound, RequestError

_TITLES = {
    404: "Nothing here",
    405: "Nothing here",
    429: "Too many requests",
    500: "Something went wrong",
    502: "The identity provider does not answer",
    503: "This cannot be read now",
}
_STORE_AWAY = frozenset({"store_unavailable", "unknown_outcome"})
_READS = frozenset({"GET", "HEAD"})


def problem_page(request: web.Request, error: RequestError, request_id: str) -> web.Response:
    """Every problem of the error; its status and headers stay."""
    values = {"problems": error.problems, "request_id": request_id}
    if error.status == 503 and {one.code for one in error.problems} <= _STORE_AWAY:
        response = _drawn(request, "store-away.html", error.status, **values | _away(request))
    else:
        again = SIGN_IN if request.path.startswith(SIGN_IN) else None
        undone = "This was not done" if request.method == "POST" else "This cannot be shown"
        title = _TITLES.get(error.status, "You are not signed in" if again else undone)
        response = _drawn(request, "problem.html", error.status, title=title, again=again, **values)
    response.headers.update(error.headers)
    return response


def _away(request: web.Request) -> dict[str, Any]:
    """``again``: the page that looks again; None for a form, which nobody sends twice unasked."""
    watch, again = request.app[VERDICT], request.rel_url.raw_path_qs if request.method in _READS else None
    title = "The store does not answer"
    return {"title": title, "again": again, "since_ms": watch.away_since_ms, "now_ms": watch.now_ms()}


def _drawn(request: web.Request, template: str, status: int, **values: Any) -> web.Response:
    """Within the frame of whoever is signed in, as far as that is known."""
    viewer = request.get(VIEWER)
    return viewer.page(template, status, **values) if viewer else page(template, values | {"client_id": None}, status)


async def show_nothing(request: web.Request) -> web.StreamResponse:
    """404 at an address of the console that leads nowhere, within the frame of whoever is signed in."""
    await recognise(request)
    raise NotFound.of("not_found", "The console has no page at this address; look for it in the navigation.")
