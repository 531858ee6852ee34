"""Addresses of the pages about integrations."""

from __future__ import annotations

from dispatcher.api.http.route import Handler
from dispatcher.console.frame.screen import action, screen
from dispatcher.console.integrations.credentials import save_credentials
from dispatcher.console.integrations.editing import saving_form, showing_form
from dispatcher.console.integrations.keys import generate, rotate, schedule, show_keys
from dispatcher.console.integrations.listing import show_integrations
from dispatcher.console.integrations.overview import link, publish, show_integration, unlink
from dispatcher.console.integrations.pings import ping, show_ping, show_pings
from dispatcher.console.integrations.revisions import show_revisions
from dispatcher.console.integrations.subject import ALL, ONE, READ, TRY, WRITE, Show, doing, showing
from dispatcher.console.integrations.urls import enable, show_urls

_PAGES: tuple[tuple[str, Show], ...] = (
    ("", show_integration),
    ("/edit", showing_form("/edit")),
    ("/credentials", showing_form("/credentials")),
    ("/limits", showing_form("/limits")),
    ("/urls", show_urls),
    ("/keys", show_keys),
    ("/revisions", show_revisions),
    ("/pings", show_pings),
    ("/pings/{testId}", show_ping),
)
_ACTIONS = (
    ("/publish", publish, WRITE),
    ("/link", link, WRITE),
    ("/unlink", unlink, WRITE),
    ("/edit", saving_form("/edit"), WRITE),
    ("/limits", saving_form("/limits"), WRITE),
    ("/credentials", save_credentials, WRITE),
    ("/keys/rotate", rotate, WRITE),
    ("/keys/schedule", schedule, WRITE),
    ("/keys/inbound", generate, WRITE),
    ("/urls/enable", enable, TRY),
    ("/pings", ping, TRY),
)
"""With the scopes of which one is needed, as in the API."""

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", ALL, screen(show_integrations, *READ)),
    *(("GET", f"{ONE}{path}", screen(showing(show), *READ)) for path, show in _PAGES),
    *(("POST", f"{ONE}{path}", action(doing(do), *scopes)) for path, do, scopes in _ACTIONS),
)
