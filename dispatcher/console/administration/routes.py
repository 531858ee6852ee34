"""Addresses of the pages about the deployment itself."""

from __future__ import annotations

from dispatcher.api.http.route import Handler
from dispatcher.console.administration.audit import AUDIT, show_audit
from dispatcher.console.administration.bounds import fleet_wide, fleet_wide_act
from dispatcher.console.administration.client_endings import show_disabling, show_rotation
from dispatcher.console.administration.clients import (
    CLIENTS,
    create_client,
    disable_client,
    give_key,
    rotate_client,
    show_clients,
    show_key,
)
from dispatcher.console.administration.settings import SETTINGS, show_settings
from dispatcher.console.frame.scopes import SEES_AUDIT, SEES_CLIENTS, SEES_SETTINGS
from dispatcher.console.frame.screen import action, screen

_ONE = f"{CLIENTS}/{{clientId}}"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", AUDIT, screen(fleet_wide(show_audit), *SEES_AUDIT)),
    ("GET", CLIENTS, screen(fleet_wide(show_clients), *SEES_CLIENTS)),
    ("POST", CLIENTS, action(fleet_wide_act(create_client), *SEES_CLIENTS)),
    ("GET", f"{_ONE}/rotate", screen(fleet_wide(show_rotation), *SEES_CLIENTS)),
    ("POST", f"{_ONE}/rotate", action(fleet_wide_act(rotate_client), *SEES_CLIENTS)),
    ("GET", f"{_ONE}/key", screen(fleet_wide(show_key), *SEES_CLIENTS)),
    ("POST", f"{_ONE}/key", action(fleet_wide_act(give_key), *SEES_CLIENTS)),
    ("GET", f"{_ONE}/disable", screen(fleet_wide(show_disabling), *SEES_CLIENTS)),
    ("POST", f"{_ONE}/disable", action(fleet_wide_act(disable_client), *SEES_CLIENTS)),
    ("GET", SETTINGS, screen(fleet_wide(show_settings), *SEES_SETTINGS)),
)
