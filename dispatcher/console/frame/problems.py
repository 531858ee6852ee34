"""An error as a page, with the way back of whoever is signed in."""

from __future__ import annotations

from aiohttp import web

from dispatcher.console.frame.rendering import page
from dispatcher.console.frame.screen import SIGN_IN, VIEWER, recognise
from dispatcher.errors import NotFound, RequestError

_TITLES = {
    404: "Nothing here",
    405: "Nothing here",
    429: "Too many requests",
    500: "Something went wrong",
    502: "The identity provider does not answer",
    503: "The store does not answer",
}


def problem_page(request: web.Request, error: RequestError, request_id: str) -> web.Response:
    """Every problem of the error; its status and headers stay."""
    viewer = request.get(VIEWER)
    title = _TITLES.get(error.status, "This was not done" if request.method == "POST" else "This cannot be shown")
    again = SIGN_IN if request.path.startswith(SIGN_IN) else None
    values = {"title": title, "again": again, "problems": error.problems, "request_id": request_id}
    if viewer:
        response: web.Response = viewer.page("problem.html", error.status, **values)
    else:
        response = page("problem.html", values | {"client_id": None}, error.status)
    response.headers.update(error.headers)
    return response


async def show_nothing(request: web.Request) -> web.StreamResponse:
    """404 at an address of the console that leads nowhere, within the frame of whoever is signed in."""
    await recognise(request)
    raise NotFound.of("not_found", "The console has no page at this address; look for it in the navigation.")
