"""Brings about what a crash or a host's late answer left open: effects in the outbox, events that are waited for.

Run by every worker, about every second; what is due goes to one of them, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from dispatcher.errors import DispatcherError, StoreUnavailable
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.pending import Pending
from dispatcher.model.installation import Installation
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.installations.installed.outbox import Outbox

EVERY_S = 2 / 3
LEFT_MS = 1_000
"""Age at which others than the process that made an effect apply it."""
AT_ONCE = 100
HELD_MS = 5_000
"""Time that a worker has for what it took: where the store went away meanwhile, people wait no longer than this."""
_SOONEST_MS, _LATEST_MS = 500, 60_000

log = structlog.get_logger("installations")


class Reconciler:
    """One per worker."""

    def __init__(
        self, outbox: Outbox, effects: Effects, pending: Pending, due: DueStore, now_ms: Callable[[], int]
    ) -> None:
        self._outbox = outbox
        self._effects = effects
        self._pending = pending
        self._due = due
        self._now_ms = now_ms

    async def once(self) -> None:
        """One pass of both."""
        for installation_id in await self._outbox.waiting(self._now_ms() - LEFT_MS, AT_ONCE):
            await self._effects.apply(installation_id)
        taken = await self._due.take(AT_ONCE)
        for installation_id in taken.ids:
            try:
                await self._look(installation_id)
            except StoreUnavailable:
                raise
            except DispatcherError as error:
                log.error("installation cannot go on", installation_id=installation_id, error=str(error))

    async def _look(self, installation_id: str) -> None:
        after = await self._pending.look(installation_id)
        if after is None:
            await self._due.drop(installation_id)
        elif after.pending_event_id is not None:
            await self._due.put_off(installation_id, self._now_ms() + _pause_ms(after, self._now_ms()))


def _pause_ms(installation: Installation, now_ms: int) -> int:
    """Longer, the longer it has been waiting."""
    return max(_SOONEST_MS, min(_LATEST_MS, (now_ms - installation.modified_ms) // 4))
