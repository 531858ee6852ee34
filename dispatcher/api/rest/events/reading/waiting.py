"""Waiting for an event to end: told by the one reader of changes, and looked at once for all who wait for it."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from aiohttp import web

from dispatcher.api.http.overload.shared import Shared
from dispatcher.api.http.route import ADMISSION
from dispatcher.model.queue import StoredEvent
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.watching.following import ChangeFeed

LOOK_S = 1.0
"""Interval at which one who waits renews its admission."""


class Waits:
    """One per process."""

    def __init__(self, feed: ChangeFeed, queue: QueueStore) -> None:
        self._feed = feed
        self._queue = queue
        self._looks: dict[str, Shared[StoredEvent | None]] = {}

    async def until_ended(self, request: web.Request, event_id: str, wait_s: float) -> StoredEvent | None:
        """The event once it has ended, or as it is after that time. Raises what its admission does, and 503."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + wait_s
        with self._feed.ending(event_id) as ended:
            async with self._feed.followed():
                stored = await self._queue.get(event_id)
                while stored and not stored.state.consumed and (left_s := deadline_s - loop.time()) > 0:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(min(left_s, LOOK_S)):
                            await ended.wait()
                    await request[ADMISSION].renewed(request)
                    if ended.is_set() or loop.time() >= deadline_s:
                        ended.clear()
                        stored = await self._look(event_id)
        return stored

    async def _look(self, event_id: str) -> StoredEvent | None:
        """One look for all whom the same end has woken."""
        shared = self._looks.setdefault(event_id, Shared(partial(self._queue.get, event_id)))
        try:
            return await shared.read()
        finally:
            self._looks.pop(event_id, None)


WAITS = web.AppKey("waits", Waits)
