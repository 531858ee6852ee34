"""Operational events of the API's own changes. Queues them; the workers deliver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from dispatcher.api.services import SERVICES
from dispatcher.flow.events.making.operational_events import FLUSH_EVERY_S
from dispatcher.periodic import every


async def notifying(app: web.Application) -> AsyncIterator[None]:
    """Queues them for as long as the app runs, and the rest at its end."""
    events = app[SERVICES].operational
    if events is None:
        yield
        return
    stop = asyncio.Event()
    task = asyncio.create_task(every(FLUSH_EVERY_S, events.flush, stop, name="operational events"))
    yield
    stop.set()
    await task
    await events.flush(everything=True)
