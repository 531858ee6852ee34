"""Liveness, readiness and metrics: what a supervisor asks. Public, and tells nothing about any account."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.respond import json_response
from dispatcher.api.route import Route
from dispatcher.api.services import SERVICES
from dispatcher.errors import StoreUnavailable


async def healthz(request: web.Request) -> web.StreamResponse:
    """This process serves requests; says nothing about anything else."""
    return json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.StreamResponse:
    """503 while Redis does not answer, so that no more requests are sent here."""
    try:
        await request.app[SERVICES].queue.ping()
    except StoreUnavailable:
        return json_response({"status": "unavailable", "redis": "away"}, 503, {"Retry-After": "1"})
    return json_response({"status": "ok", "redis": "ok"})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/healthz", healthz, None, "Is the process alive", tag="operations"),
    Route("GET", "/readyz", readyz, None, "Is Redis there", tag="operations"),
)
