"""Removes installations whose steps nobody has gone on with for a long time, and tells the host application."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from dispatcher.errors import DispatcherError, NotFound, StoreUnavailable
from dispatcher.flow.installations.states.transitions import Cause, Transitions
from dispatcher.model.installation import Installation, Moved
from dispatcher.policy.installing.rules import Moment, abandoned
from dispatcher.store.installations.installed.installations import InstallationStore

EVERY_S = 30.0
AT_ONCE = 100
_DAY_MS = 86_400_000
_NOBODYS = Cause()

log = structlog.get_logger("installations")


class Drafts:
    """One per worker. ``days`` without a change; 0 = they stay."""

    def __init__(
        self, store: InstallationStore, transitions: Transitions, days: float, now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._transitions = transitions
        self._kept_ms = int(days * _DAY_MS)
        self._now_ms = now_ms

    async def once(self) -> None:
        """One round."""
        if not self._kept_ms:
            return
        before_ms = self._now_ms() - self._kept_ms

        def decide(current: Installation, at: Moment) -> Moved:
            return abandoned(current, before_ms)

        for installation_id in await self._store.drafts(before_ms, AT_ONCE):
            try:
                await self._transitions.change(installation_id, decide, _NOBODYS)
            except StoreUnavailable:
                raise
            except NotFound:
                continue
            except DispatcherError as error:
                log.error("draft stays", installation_id=installation_id, error=str(error))
