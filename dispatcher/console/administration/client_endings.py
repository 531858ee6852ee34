"""Pages that say what ends before a client gets a new secret or is disabled. Nothing is done by a look."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.services import EFFECTIVE_SETTINGS
from dispatcher.console.frame.viewer import Viewer
from dispatcher.flow.access.clients import no_such_client
from dispatcher.model.access import ApiClient


async def show_rotation(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return await _page(request, viewer, "rotate")


async def show_disabling(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    return await _page(request, viewer, "disable")


async def _page(request: web.Request, viewer: Viewer, act: str) -> web.Response:
    refuse_unheeded(request, {})
    client = await viewer.services.clients.get(request.match_info["clientId"])
    if client is None:
        raise no_such_client()
    from_settings = is_from_settings(request, client)
    return viewer.page("administration/client-ending.html", client=client, act=act, from_settings=from_settings)


def is_from_settings(request: web.Request, client: ApiClient) -> bool:
    """True for the one that each start makes what the settings say."""
    kept = {one["name"]: one["value"] for one in request.app[EFFECTIVE_SETTINGS]}
    return kept["DISPATCHER_ADMIN_CLIENT_ID"] == client.client_id
