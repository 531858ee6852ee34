"""Forgets what was said about an app that was uninstalled for good: contents of its events, a page at a time.

Status, times and ids of each event stay, so that every figure and the audit still add up. Callbacks stay as well: they
are the host application's, and hold ids only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispatcher.errors import Conflict, InvalidRequest, NotFound
from dispatcher.ids import event_ms
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, Page, StoredEvent
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.installations.installed.remains import Erasure
from dispatcher.store.keys import installations as keys
from dispatcher.store.queue.events import QueueStore

PAGE = 100
LOOKED_AT = 1000
"""Installations of one account among which others of the same integration are looked for."""
_ALL_TYPES = frozenset(EventType)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """One per process. Doing it twice changes nothing."""

    queue: QueueStore
    installations: InstallationStore

    async def some(self, erasure: Erasure) -> Erasure | None:
        """Forget a page of events; the erasure as it goes on from there, None = nothing is left.

        ``cursor`` None again: some had not ended, so all are looked at once more.
        """
        if erasure.removed_ms is None:
            return None
        page = await self._page(erasure)
        alone = await self._is_alone(erasure)
        left = await self._forget([one for one in page.items if _is_about(one.event, erasure, alone=alone)])
        waits = erasure.waits or left
        if page.next_cursor is not None:
            return replace(erasure, cursor=page.next_cursor, waits=waits)
        return replace(erasure, cursor=None, waits=False) if waits else None

    async def _page(self, erasure: Erasure) -> Page:
        condition = EventFilter(
            types=_ALL_TYPES,
            account_id=erasure.account_id,
            integration_id=erasure.integration_id,
            from_ms=erasure.installed_ms,
        )
        try:
            return await self.queue.page(condition, erasure.cursor, PAGE, payloads=False)
        except InvalidRequest:
            return await self.queue.page(condition, None, PAGE, payloads=False)

    async def _forget(self, events: Sequence[StoredEvent]) -> bool:
        """True if some of them have not ended."""
        left = False
        for one in events:
            if one.state.expunged_ms is not None:
                continue
            try:
                await self.queue.expunge(one.event)
            except Conflict:
                left = True
            except NotFound:
                continue
        return left

    async def _is_alone(self, erasure: Erasure) -> bool:
        """True if the account has nothing else of that integration, which its other events could be about."""
        index = keys.installations_of_account(erasure.account_id)
        found = await self.installations.several(await self.installations.ids([index], "", LOOKED_AT))
        return all(one.installation.integration_id != erasure.integration_id for one in found)


def _is_about(event: Event, erasure: Erasure, *, alone: bool) -> bool:
    """Its own, and while there was no other those that name none."""
    if event.subscription_id is not None:
        return event.subscription_id == erasure.installation_id
    return alone and event_ms(event.id) <= (erasure.removed_ms or 0)
