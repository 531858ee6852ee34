"""Workers and partitions: who is alive, and who owns what."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import Refused

WORKERS = f"{HOME}/workers"


async def show_workers(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {})
    if not viewer.sees_queue:
        text = "Workers serve every integration: sign in with a client that is bound to no account and no vendor."
        raise Refused.of("account_restricted", text)
    overview = await viewer.services.reads.overview(0)
    ownerless = [one for one in overview.partitions if not one.owner or one.lease_until_ms <= overview.now_ms]
    waiting = sum(one.open - one.awaiting for one in ownerless)
    return viewer.page(
        "workers.html", overview=overview, ownerless={one.partition for one in ownerless}, waiting=waiting
    )
