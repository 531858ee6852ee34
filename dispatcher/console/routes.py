"""Every address of the console in one table, and how an application gets them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.middleware import ERROR_PAGES
from dispatcher.api.http.route import Handler
from dispatcher.console.events import show_event, show_events
from dispatcher.console.problems import problem_page
from dispatcher.console.queue import show_home, show_queue
from dispatcher.console.screen import EVENTS, HOME, SHOWN_TO, SIGN_IN, screen
from dispatcher.console.signing_in import show_form, sign_in, sign_out
from dispatcher.model.access import Scope
from dispatcher.pages.assets import mount_assets
from dispatcher.pages.rendering import STYLE_SHEET

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", HOME, screen(show_home, *SHOWN_TO)),
    ("GET", f"{HOME}/queue", screen(show_queue, Scope.OPS_READ)),
    ("GET", EVENTS, screen(show_events, Scope.EVENTS_READ)),
    ("GET", f"{EVENTS}/{{id}}", screen(show_event, Scope.EVENTS_READ)),
    ("GET", SIGN_IN, show_form),
    ("POST", SIGN_IN, sign_in),
    ("POST", f"{HOME}/sign-out", sign_out),
)


def mount_console(app: web.Application) -> None:
    """Add the console to the API's application."""
    app[ERROR_PAGES].append((HOME, problem_page))
    mount_assets(app, STYLE_SHEET)
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler)
        if method == "GET":
            app.router.add_route("HEAD", path, handler)
