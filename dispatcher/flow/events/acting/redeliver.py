"""Redeliver: send a failed event again, with what is published now. The store decides whether the event may go."""

from __future__ import annotations

from dispatcher.model.event import Event
from dispatcher.model.integration import WORKING
from dispatcher.model.queue import StoredEvent
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.queue.events import QueueStore


async def redeliver(
    event: Event, queue: QueueStore, cache: DefinitionCache, asked_ms: int | None = None
) -> StoredEvent:
    """The event as it stands now. Raises ``NotFound``, and ``Conflict`` unless it is DEAD, FAILED or EXPIRED.

    ``asked_ms``: also ``Conflict`` if it failed once more since then.
    """
    return await queue.redeliver(event.id, await _revision_now(event, cache), asked_ms)


async def _revision_now(event: Event, cache: DefinitionCache) -> int | None:
    """The revision of an event that were emitted now; None = as it was, its integration being gone."""
    if event.flag:
        return WORKING
    integration = await cache.integration(event.integration_id)
    return integration.published_revision if integration else None
