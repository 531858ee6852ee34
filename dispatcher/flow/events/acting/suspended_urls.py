"""Lists an integration's suspended URLs, and enables one: what is parked for it, or for an older one, goes there."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration, Revision
from dispatcher.policy.pace.suspended_urls import SuspendedUrl, by_type, published_no_more, url_of
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore


async def published_now(integration: Integration, definitions: Definitions) -> Revision | None:
    """The published revision, from the store; None = nothing is."""
    number = integration.published_revision
    return await definitions.revision(integration.id, number) if number else None


async def suspended_urls(integration: Integration, definitions: Definitions, queue: QueueStore) -> list[SuspendedUrl]:
    """As the types of what is published go there; of what nothing is published, as those of the WORKING version do."""
    published = await published_now(integration, definitions)
    return by_type(published or integration.working, await queue.suspended_urls(integration.id), published)


@dataclass(frozen=True, slots=True)
class Enabled:
    """``released``: parked events that go on. ``was_suspended`` False: nothing was, so nothing has changed."""

    released: int
    was_suspended: bool


async def enable_url(integration: Integration, kind: EventType, definitions: Definitions, queue: QueueStore) -> Enabled:
    """Send to the type's published URL again, and events of URLs that are published no more to those that are."""
    published = await published_now(integration, definitions)
    suspended = await queue.suspended_urls(integration.id)
    url = url_of(published or integration.working, kind)
    gone = published_no_more(integration, published, suspended)
    if url not in suspended and not gone:
        return Enabled(0, was_suspended=False)
    return Enabled(await queue.enable_urls(integration.id, gone, [url] if url else []), was_suspended=True)
