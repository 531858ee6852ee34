"""A bulk job before it begins: how many events it takes, of which status and integration, and how long that lasts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dispatcher.model.queue import EventFilter
from dispatcher.model.redelivery import Tally
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.queue.events import QueueStore

COUNT_PAGE = 1000
COUNT_CAP = 100_000
"""Matches counted before the answer; what lies beyond is handled too, and counted on the way."""

NOTHING = Tally(0, exact=True, by_status={}, by_integration={})


@dataclass(frozen=True, slots=True)
class IntegrationShare:
    """Events of one integration, and its own limit of requests per second; None = it has none."""

    integration_id: str
    matched: int
    rate_per_s: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """``seconds`` None = no rate bounds it: as fast as the hosts answer."""

    tally: Tally
    integrations: tuple[IntegrationShare, ...]
    seconds: float | None


async def tally(condition: EventFilter, queue: QueueStore) -> Tally:
    """Count the events that meet the condition, up to ``COUNT_CAP``."""
    statuses, integrations = Counter[str](), Counter[str]()
    cursor: str | None = None
    oldest_ms: int | None = None
    while statuses.total() < COUNT_CAP:
        page = await queue.page(condition, cursor, COUNT_PAGE, payloads=False)
        statuses.update(stored.state.status.value for stored in page.items)
        integrations.update(stored.event.integration_id for stored in page.items)
        oldest_ms = min((stored.state.created_ms for stored in page.items), default=oldest_ms)
        cursor = page.next_cursor
        if cursor is None:
            break
    return Tally(statuses.total(), cursor is None, dict(statuses), dict(integrations.most_common()), oldest_ms)


async def preview(counted: Tally, rate_per_s: float | None, cache: DefinitionCache) -> Preview:
    """The end at the job's rate and those of the integrations, which deliver side by side."""
    shares = [await _share(one, matched, cache) for one, matched in counted.by_integration.items()]
    lasting = [share.matched / share.rate_per_s for share in shares if share.rate_per_s]
    if rate_per_s:
        lasting.append(counted.matched / rate_per_s)
    return Preview(counted, tuple(shares), max(lasting, default=None))


async def _share(integration_id: str, matched: int, cache: DefinitionCache) -> IntegrationShare:
    integration = await cache.integration(integration_id)
    number = integration.published_revision if integration else None
    revision = await cache.revision(integration_id, number) if number else None
    return IntegrationShare(integration_id, matched, revision.limits.rate_per_s if revision else None)
