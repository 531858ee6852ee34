"""Finds events and integrations for a caller, or nothing when they are out of its reach (``policy.reach``).

Definitions are narrowed by ``Definitions.of_vendor``.
"""

from __future__ import annotations

from dispatcher.flow.events.reading.named_integrations import with_integrations
from dispatcher.model.access import Caller
from dispatcher.model.event import no_such_event
from dispatcher.model.integration import Integration
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.policy.reach import narrowed, reaches_account, reaches_integration, within_lanes
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore


async def reachable_event(event_id: str, caller: Caller, queue: QueueStore, cache: DefinitionCache) -> StoredEvent:
    """The event. Raises ``NotFound`` when it does not exist for this caller."""
    return await reached(await queue.get(event_id), caller, cache)


async def reached(stored: StoredEvent | None, caller: Caller, cache: DefinitionCache) -> StoredEvent:
    """The event that was found. Raises ``NotFound`` when there is none, or not for this caller."""
    if stored is None or not reaches_account(caller, stored.event.account_id):
        raise no_such_event()
    if caller.vendor_id is not None:
        integration = await cache.integration(stored.event.integration_id)
        if not reaches_integration(caller, integration):
            raise no_such_event()
    return stored


async def reachable_integration(any_id: str, caller: Caller, cache: DefinitionCache) -> Integration | None:
    """The integration, if it exists for the caller."""
    found = await cache.integration(any_id)
    return found if reaches_integration(caller, found) else None


async def within_reach(condition: EventFilter, caller: Caller, definitions: Definitions) -> EventFilter | None:
    """The condition narrowed to what the caller may see; None = that is nothing."""
    narrow = narrowed(condition, caller)
    return await of_vendor(narrow, definitions) if narrow else None


async def of_vendor(condition: EventFilter, definitions: Definitions) -> EventFilter | None:
    """With the integrations that it names and that ``vendor_id`` has now; None = there is none that meets it."""
    named = await with_integrations(condition, definitions)
    if condition.vendor_id is None:
        return named
    return within_lanes(named, frozenset(await definitions.ids_of_vendor(condition.vendor_id)))
