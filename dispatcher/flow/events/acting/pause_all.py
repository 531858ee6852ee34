"""Pause and resume of all integrations that there are. Those that are made later are not paused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dispatcher.flow.events.acting.pause import pause, resume
from dispatcher.model.integration import Integration
from dispatcher.model.operational import Notify
from dispatcher.model.queue import Pause
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore

AT_ONCE = 32
"""Integrations that are read, and held or let go, at a time."""


async def pause_all(hold: Pause, definitions: Definitions, queue: QueueStore, notify: Notify, now_ms: int) -> int:
    """Hold back every integration within the view of ``definitions``; returns how many."""
    held = 0
    async for some in _pages(definitions):
        await asyncio.gather(*(pause(one.id, hold, queue, notify, now_ms) for one in some))
        held += len(some)
    return held


async def resume_all(definitions: Definitions, queue: QueueStore, notify: Notify, now_ms: int) -> int:
    """Let go on those that are paused; what else holds an integration back stays. Returns how many."""
    resumed = 0
    async for some in _pages(definitions):
        lanes = await asyncio.gather(*(queue.lane(one.id) for one in some))
        paused = [one for one, lane in zip(some, lanes, strict=True) if lane is not None and lane.paused]
        await asyncio.gather(*(resume(one, definitions, queue, notify, now_ms) for one in paused))
        resumed += len(paused)
    return resumed


async def _pages(definitions: Definitions) -> AsyncIterator[list[Integration]]:
    cursor: str | None = None
    while True:
        page = await definitions.integrations(cursor, AT_ONCE)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return
