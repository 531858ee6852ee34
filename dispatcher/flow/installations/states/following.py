"""Follows installations that wait for an event in the process that made them wait, so that nobody waits for a worker.

A convenience: whatever is not followed, or no longer, is taken on by the workers' reconciler.
"""

from __future__ import annotations

import asyncio

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.installations.states.pending import Pending
from dispatcher.model.installation import Installation, Standing

AT_ONCE = 200
FOR_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 1.0

log = structlog.get_logger("installations")


class Follower:
    """One per process. ``async with``: what is followed ends with it."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Follower:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def follow(self, installation: Installation) -> None:
        """Until it waits for nothing, for a while."""
        known = installation.id in self._tasks
        if installation.pending_event_id is None or known or len(self._tasks) >= AT_ONCE:
            return
        task = asyncio.create_task(self._follow(installation.id), name="installation")
        self._tasks[installation.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(installation.id, None))

    async def _follow(self, installation_id: str) -> None:
        pause_s, until_s = _FIRST_PAUSE_S, asyncio.get_running_loop().time() + FOR_S
        waiting: str | None = None
        while asyncio.get_running_loop().time() < until_s:
            try:
                after = await self._pending.look(installation_id)
            except StoreUnavailable:
                return
            except Exception:
                log.exception("installation cannot go on", installation_id=installation_id)
                return
            if after is None or after.pending_event_id is None or after.standing is Standing.REFUSED:
                return
            pause_s = pause_s * 1.5 if after.pending_event_id == waiting else _FIRST_PAUSE_S
            waiting = after.pending_event_id
            await asyncio.sleep(min(pause_s, _LONGEST_PAUSE_S))
