"""Hands the queue what transitions of installations have put into the outbox. Decides nothing.

Each is applied in the order of its installation's transitions, and may be applied any number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from dispatcher.model.effect import Effect, LockChange
from dispatcher.model.event import Event
from dispatcher.store.installations.installed.outbox import Outbox
from dispatcher.store.queue.events import QueueStore


class Effects:
    """Any number of processes may apply the same."""

    def __init__(self, outbox: Outbox, queue: QueueStore) -> None:
        self._outbox = outbox
        self._queue = queue

    async def apply(self, installation_id: str) -> int:
        """Everything that one installation has in the outbox; returns how many."""
        entries = await self._outbox.entries(installation_id)
        if not entries:
            return 0
        for kind, run in groupby([one.effect for one in entries], key=type):
            effects = list(run)
            await (self._accept(effects) if kind is Event else self._lock(effects))
        await self._outbox.done(installation_id, entries)
        return len(entries)

    async def _accept(self, effects: Sequence[Effect]) -> None:
        await self._queue.accept([one for one in effects if isinstance(one, Event)])

    async def _lock(self, effects: Sequence[Effect]) -> None:
        for one in effects:
            if isinstance(one, LockChange):
                await self._queue.lock(one)
