"""The deed of the page before, said once at the top of the next: one of a few words in the address."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from dispatcher.marketplace.entrance.guest import Guest

QUERY = "said"
_KEYS = {
    "saved": "settings.saved",
    "told": "settings.saved_told",
    "same": "settings.same",
    "connected": "connection.saved",
    "uninstalling": "uninstall.started",
    "updated": "update.done",
    "stayed": "update.stayed",
    "gone": "uninstall.gone",
}


def said_in(request: web.Request, guest: Guest) -> Markup | None:
    """Nothing for any other word."""
    key = _KEYS.get(request.query.get(QUERY, ""))
    return guest.t(key) if key else None
