"""Which events and integrations exist for a caller. What does not is answered as if it had never been there.

A client of one account reaches this account's events; a client of one vendor those of its integrations. Definitions
are narrowed by ``Definitions.of_vendor``.
"""

from __future__ import annotations

from dataclasses import replace

from dispatcher.api.services import Services
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.integration import Integration
from dispatcher.model.queue import EventFilter
from dispatcher.store.definitions.editing import Definitions


async def reaches_event(services: Services, caller: Caller, event: Event) -> bool:
    """Those of an integration that was deleted exist for clients without a vendor only."""
    if caller.account_id not in (None, event.account_id):
        return False
    return caller.vendor_id is None or await reachable_integration(services, caller, event.integration_id) is not None


async def reachable_integration(services: Services, caller: Caller, any_id: str) -> Integration | None:
    """The integration, if it exists for the caller."""
    found = await services.cache.integration(any_id)
    return found if found is not None and caller.reaches(found.vendor_id) else None


async def within_reach(condition: EventFilter, caller: Caller, definitions: Definitions) -> EventFilter | None:
    """The condition narrowed to what the caller may see; None = that is nothing."""
    if caller.account_id is not None:
        if condition.account_id not in (None, caller.account_id):
            return None
        condition = replace(condition, account_id=caller.account_id)
    if caller.vendor_id is None:
        return condition
    return await of_vendor(replace(condition, vendor_id=caller.vendor_id), definitions)


async def of_vendor(condition: EventFilter, definitions: Definitions) -> EventFilter | None:
    """With the integrations that ``vendor_id`` has now; None = there is none that meets it."""
    if condition.vendor_id is None:
        return condition
    lanes = frozenset(await definitions.ids_of_vendor(condition.vendor_id))
    if not lanes or (condition.integration_id is not None and condition.integration_id not in lanes):
        return None
    return replace(condition, lanes=lanes)
