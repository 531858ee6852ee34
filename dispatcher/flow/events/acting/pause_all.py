"""Pause and resume of all integrations that there are. Those that are made later are not paused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from dispatcher.flow.events.acting.pause import pause, resume
from dispatcher.model.integration import Integration
from dispatcher.model.operational import Notify
from dispatcher.model.queue import LaneView, Pause
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


@dataclass(frozen=True, slots=True)
class PausedLanes:
    """Paused integrations, and the events that wait there."""

    integrations: int = 0
    waiting: int = 0


async def paused_lanes(definitions: Definitions, queue: QueueStore) -> PausedLanes:
    """Those that ``resume_all`` would let go on. Changes nothing."""
    found = PausedLanes()
    async for some in _pages(definitions):
        found = _added(found, await _paused(some, queue))
    return found


async def resume_all(definitions: Definitions, queue: QueueStore, notify: Notify, now_ms: int) -> PausedLanes:
    """Let go on those that are paused; what else holds an integration back stays. Returns what was paused."""
    found = PausedLanes()
    async for some in _pages(definitions):
        paused = await _paused(some, queue)
        await asyncio.gather(*(resume(one, definitions, queue, notify, now_ms) for one, _ in paused))
        found = _added(found, paused)
    return found


async def _paused(some: list[Integration], queue: QueueStore) -> list[tuple[Integration, LaneView]]:
    lanes = await queue.lanes(one.id for one in some)
    return [(one, lanes[one.id]) for one in some if one.id in lanes and lanes[one.id].paused]


def _added(found: PausedLanes, paused: list[tuple[Integration, LaneView]]) -> PausedLanes:
    waiting = sum(lane.ready + lane.scheduled + lane.waiting + lane.parked for _, lane in paused)
    return PausedLanes(found.integrations + len(paused), found.waiting + waiting)


async def _pages(definitions: Definitions) -> AsyncIterator[list[Integration]]:
    cursor: str | None = None
    while True:
        page = await definitions.integrations(cursor, AT_ONCE)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return
