"""Addresses of the pages about customers."""

from __future__ import annotations

from dispatcher.api.http.route import Handler
from dispatcher.console.customers.accounts import ACCOUNTS, end_sessions, show_account, show_accounts
from dispatcher.console.customers.installations import INSTALLATIONS, show_installation, show_installations
from dispatcher.console.customers.marketplaces import (
    MARKETPLACES,
    create_marketplace,
    rotate_key,
    save_marketplace,
    show_marketplace,
    show_marketplaces,
    show_new_marketplace,
)
from dispatcher.console.customers.templates import TEMPLATES, create_template, show_templates, switch_native
from dispatcher.console.frame.scopes import SEES_ACCOUNTS, SEES_INSTALLATIONS, SEES_MARKETPLACES, SEES_TEMPLATES
from dispatcher.console.frame.screen import action, screen
from dispatcher.model.access import Scope

_WRITE = (Scope.INTEGRATIONS_WRITE,)
_ONE = f"{MARKETPLACES}/{{marketplaceId}}"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", INSTALLATIONS, screen(show_installations, *SEES_INSTALLATIONS)),
    ("GET", f"{INSTALLATIONS}/{{installationId}}", screen(show_installation, *SEES_INSTALLATIONS)),
    ("GET", MARKETPLACES, screen(show_marketplaces, *SEES_MARKETPLACES)),
    ("POST", MARKETPLACES, action(create_marketplace, *_WRITE)),
    ("GET", f"{MARKETPLACES}/new", screen(show_new_marketplace, *_WRITE)),
    ("GET", _ONE, screen(show_marketplace, *SEES_MARKETPLACES)),
    ("POST", _ONE, action(save_marketplace, *_WRITE)),
    ("POST", f"{_ONE}/rotate", action(rotate_key, *_WRITE)),
    ("GET", TEMPLATES, screen(show_templates, *SEES_TEMPLATES)),
    ("POST", TEMPLATES, action(create_template, *_WRITE)),
    ("POST", f"{TEMPLATES}/{{templateId}}/native", action(switch_native, *_WRITE)),
    ("GET", ACCOUNTS, screen(show_accounts, *SEES_ACCOUNTS)),
    ("GET", f"{ACCOUNTS}/{{accountId}}", screen(show_account, *SEES_ACCOUNTS)),
    ("POST", f"{ACCOUNTS}/{{accountId}}/sessions/end", action(end_sessions, Scope.MARKETPLACE_PARTNER)),
)
