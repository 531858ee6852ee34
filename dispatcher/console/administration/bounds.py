"""Pages about the whole deployment: never for a client that is bound to a part of it, as in the API."""

from __future__ import annotations

from aiohttp import web

from dispatcher.console.frame.screen import Act, View
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import Refused


def fleet_wide(view: View) -> View:
    async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
        _refuse_bound(viewer)
        return await view(request, viewer)

    return show


def fleet_wide_act(act: Act) -> Act:
    async def do(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
        _refuse_bound(viewer)
        return await act(request, viewer, fields)

    return do


def _refuse_bound(viewer: Viewer) -> None:
    if viewer.bound:
        text = "This page is about the whole deployment: sign in with a client that is bound to no part of it."
        raise Refused.of("client_restricted", text)
