"""Every address of the console in one table, and how an application gets them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.middleware import ERROR_PAGES
from dispatcher.api.http.route import Handler
from dispatcher.console.events import show_event, show_events
from dispatcher.console.problems import problem_page
from dispatcher.console.queue import show_home, show_queue
from dispatcher.console.rendering import HEADERS, style
from dispatcher.console.screen import EVENTS, HOME, SHOWN_TO, SIGN_IN, screen
from dispatcher.console.signing_in import show_form, sign_in, sign_out
from dispatcher.model.access import Scope

_STYLE_KEPT = {"Cache-Control": "public, max-age=300"}


async def _style(request: web.Request) -> web.StreamResponse:
    return web.Response(text=style(), content_type="text/css", headers=HEADERS | _STYLE_KEPT)


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", HOME, screen(show_home, *SHOWN_TO)),
    ("GET", f"{HOME}/queue", screen(show_queue, Scope.OPS_READ)),
    ("GET", EVENTS, screen(show_events, Scope.EVENTS_READ)),
    ("GET", f"{EVENTS}/{{id}}", screen(show_event, Scope.EVENTS_READ)),
    ("GET", SIGN_IN, show_form),
    ("POST", SIGN_IN, sign_in),
    ("POST", f"{HOME}/sign-out", sign_out),
    ("GET", f"{HOME}/console.css", _style),
)


def mount_console(app: web.Application) -> None:
    """Add the console to the API's application."""
    app[ERROR_PAGES] = (HOME, problem_page)
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler)
        if method == "GET":
            app.router.add_route("HEAD", path, handler)
