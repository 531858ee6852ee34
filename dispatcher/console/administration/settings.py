"""Settings that are in force in the process that answers; secrets are masked, and nothing can be changed."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.services import EFFECTIVE_SETTINGS
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer

SETTINGS = f"{HOME}/settings"


async def show_settings(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Those that differ from their defaults first."""
    refuse_unheeded(request, {})
    shown = request.app[EFFECTIVE_SETTINGS]
    changed = [one for one in shown if one["value"] != one["default"]]
    same = [one for one in shown if one["value"] == one["default"]]
    return viewer.page("administration/settings.html", changed=changed, same=same)
