"""Saying that somebody knows of a problem, from the console."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.rest.operating.status import acknowledge_problem
from dispatcher.console.frame.screen import own_path
from dispatcher.console.frame.sentences import back
from dispatcher.console.frame.viewer import Viewer


async def acknowledge(request: web.Request, _: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    await acknowledge_problem(request, request.match_info["problemId"])
    return back(own_path(fields.get("back")), "acknowledged")
