"""Every address of the marketplace's pages in one table, and how an application gets them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.response.middleware import ERROR_PAGES
from dispatcher.api.http.route import Handler
from dispatcher.api.installing import AUTHORIZED_PATH
from dispatcher.marketplace.apps.colleagues import assign, give_role, show_people
from dispatcher.marketplace.apps.history import show_history
from dispatcher.marketplace.apps.home import show_home
from dispatcher.marketplace.apps.leaving import open_app, show_done
from dispatcher.marketplace.apps.live import follow
from dispatcher.marketplace.entrance import links, signing_in
from dispatcher.marketplace.entrance.admission import action, screen
from dispatcher.marketplace.entrance.guest import HOME, SCRIPT
from dispatcher.marketplace.entrance.handover import PATH as HANDOVER
from dispatcher.marketplace.entrance.problems import problem_page
from dispatcher.marketplace.installing.connecting import authorize, authorized, save_connection, show_connection
from dispatcher.marketplace.installing.ordering import order, show_product
from dispatcher.marketplace.installing.settings import save_settings, show_settings
from dispatcher.marketplace.installing.uninstalling import show_uninstall, uninstall
from dispatcher.marketplace.installing.updating import show_update, stay, update
from dispatcher.marketplace.installing.wizard import (
    check_step,
    order_again,
    remove,
    show_credentials,
    show_installation,
)
from dispatcher.pages.assets import mount_assets
from dispatcher.pages.rendering import ICON, STYLE_SHEET

SHOP = f"{HOME}/{{marketplaceId}}"
ONE = f"{SHOP}/installations/{{installationId}}"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", links.PATH, links.open_link),
    ("HEAD", links.PATH, links.head),
    ("POST", links.PATH, links.confirm_link),
    ("GET", HANDOVER, links.take_over),
    ("HEAD", HANDOVER, links.head),
    ("GET", signing_in.SIGN_IN, signing_in.show_form),
    ("POST", signing_in.SIGN_IN, signing_in.sign_in),
    ("POST", signing_in.SIGN_OUT, signing_in.sign_out),
    ("GET", SHOP, screen(show_home)),
    ("GET", f"{SHOP}/history", screen(show_history)),
    ("GET", f"{SHOP}/done", screen(show_done)),
    ("GET", f"{SHOP}/products/{{productId}}", screen(show_product)),
    ("POST", f"{SHOP}/products/{{productId}}", action(order)),
    ("GET", ONE, screen(show_installation)),
    ("GET", f"{ONE}/live", screen(follow)),
    ("POST", f"{ONE}/steps", action(check_step)),
    ("POST", f"{ONE}/again", action(order_again)),
    ("POST", f"{ONE}/remove", action(remove)),
    ("GET", f"{ONE}/open", screen(open_app)),
    ("GET", f"{ONE}/credentials", screen(show_credentials)),
    ("GET", f"{ONE}/connections/{{connection}}", screen(show_connection)),
    ("POST", f"{ONE}/connections/{{connection}}", action(save_connection)),
    ("GET", f"{ONE}/connections/{{connection}}/authorize", screen(authorize)),
    ("GET", AUTHORIZED_PATH, authorized),
    ("HEAD", AUTHORIZED_PATH, links.head),
    ("GET", f"{ONE}/settings", screen(show_settings)),
    ("POST", f"{ONE}/settings", action(save_settings)),
    ("GET", f"{ONE}/update", screen(show_update)),
    ("POST", f"{ONE}/update", action(update)),
    ("POST", f"{ONE}/stay", action(stay)),
    ("GET", f"{ONE}/uninstall", screen(show_uninstall)),
    ("POST", f"{ONE}/uninstall", action(uninstall)),
    ("GET", f"{ONE}/people", screen(show_people)),
    ("POST", f"{ONE}/people", action(assign)),
    ("POST", f"{ONE}/roles", action(give_role)),
)


def mount_marketplace(app: web.Application) -> None:
    """Add the pages to the API's application."""
    for prefix in (HOME, links.PATH, HANDOVER, signing_in.SIGN_IN, signing_in.SIGN_OUT, AUTHORIZED_PATH):
        app[ERROR_PAGES].append((prefix, problem_page))
    mount_assets(app, STYLE_SHEET, ICON, SCRIPT)
    headed = {(method, path) for method, path, _ in ROUTES if method == "HEAD"}
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler)
        if method == "GET" and ("HEAD", path) not in headed:
            app.router.add_route("HEAD", path, handler)
