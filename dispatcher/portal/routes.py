"""Every address of the page in one table, and how an application gets them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.response.middleware import ERROR_PAGES
from dispatcher.api.http.route import Handler
from dispatcher.api.rest.definitions.portal_links import OPEN_PATH
from dispatcher.pages.assets import mount_assets
from dispatcher.pages.rendering import STYLE_SHEET
from dispatcher.portal.admission import action, screen
from dispatcher.portal.deliveries import EVENTS, redeliver_event, show_deliveries, show_event
from dispatcher.portal.developer import HOME, SCRIPT
from dispatcher.portal.keys import KEYS, rotate, show_keys
from dispatcher.portal.opening import leave, open_link, show_link
from dispatcher.portal.pings import PINGS, send_ping, show_pings
from dispatcher.portal.problems import problem_page

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", f"{OPEN_PATH}/{{id}}", show_link),
    ("POST", f"{OPEN_PATH}/{{id}}", open_link),
    ("GET", HOME, screen(show_deliveries)),
    ("GET", f"{EVENTS}/{{id}}", screen(show_event)),
    ("POST", f"{EVENTS}/{{id}}/redeliver", action(redeliver_event)),
    ("GET", PINGS, screen(show_pings)),
    ("POST", PINGS, action(send_ping)),
    ("GET", KEYS, screen(show_keys)),
    ("POST", KEYS, action(rotate)),
    ("POST", f"{HOME}/leave", action(leave)),
)


def mount_portal(app: web.Application) -> None:
    """Add the page to the API's application."""
    app[ERROR_PAGES].append((HOME, problem_page))
    mount_assets(app, STYLE_SHEET, SCRIPT)
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler)
        if method == "GET":
            app.router.add_route("HEAD", path, handler)
