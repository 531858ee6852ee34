"""Operational events of the API's own changes. Queues them; the workers deliver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from dispatcher.api.services import SERVICES
from dispatcher.flow.events.operational_news import FLUSH_EVERY_S
from dispatcher.periodic import every


async def telling(app: web.Application) -> AsyncIterator[None]:
    """Queues what is told for as long as the app runs, and the rest at its end."""
    news = app[SERVICES].news
    if news is None:
        yield
        return
    stop = asyncio.Event()
    task = asyncio.create_task(every(FLUSH_EVERY_S, news.flush, stop, name="operational events"))
    yield
    stop.set()
    await task
    await news.flush(everything=True)
