"""Ping tests of an integration: what was tried step by step, and asking for another. Workers send them, never this."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import written_down
from dispatcher.api.services import PING_STARTER
from dispatcher.flow.pings.request import PingOptions, request_ping
from dispatcher.model.audit_entry import Action
from dispatcher.model.ping import PingStatus, PingVersion, as_of
from dispatcher.pages.forms import Sent
from dispatcher.portal.developer import HOME, Developer, redirect

PINGS = f"{HOME}/pings"
SHOWN = 10
REFRESH_S = 2
"""While a test runs."""


async def show_pings(request: web.Request, developer: Developer) -> web.StreamResponse:
    """Newest first. The page loads itself anew until the test that runs has ended."""
    history = await developer.services.definitions.pings.history(developer.integration.id, SHOWN)
    tests = [as_of(one, developer.now_ms) for one in history]
    runs = any(one.status is PingStatus.RUNNING for one in tests)
    return developer.page("pings.html", tests=tests, runs=runs, refresh_s=REFRESH_S if runs else None)


async def send_ping(request: web.Request, developer: Developer, sent: Sent) -> web.StreamResponse:
    """303 to the tests; one type for each URL of what is published, or of the draft before anything is."""
    services, integration = developer.services, developer.integration
    version = PingVersion.PUBLISHED if integration.published_revision else PingVersion.WORKING
    options = PingOptions("security" in sent.fields, timeout_s=services.deployment.request_timeout_s)
    action = Action(developer.author, "pingIntegration", "integration", integration.id, developer.now_ms)
    async with written_down(services.audit, action):
        await request_ping(
            services.definitions,
            request.app[PING_STARTER],
            integration.id,
            version,
            None,
            developer.now_ms,
            options,
        )
    return redirect(PINGS)
