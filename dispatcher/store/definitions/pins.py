"""WORKING versions as they were when DEVELOPMENT events were accepted with them: a copy for each edit, not each event.

A copy lies where published revisions do, under a number below 0: the moment (ms) that it was saved at. Nobody edits it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from dispatcher.model.integration import Integration
from dispatcher.store.definitions.records import write_revision
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded

KEPT_S = 30 * 86_400
"""After the last event that was accepted with it."""


async def keep_working(redis: Redis, integration: Integration) -> None:
    """Keep the WORKING version of ``integration`` as it is for the events that are accepted with it. One round trip."""
    number = -integration.modified_ms
    copy = write_revision(replace(integration.working, number=number))
    key, index = keys.revision(integration.id, number), keys.pins(integration.id)
    pipeline: Any = redis.pipeline(transaction=False)
    pipeline.set(key, copy, nx=True).expire(key, KEPT_S)
    pipeline.zadd(index, {str(number): number}).expire(index, KEPT_S)
    with guarded():
        await pipeline.execute()


async def kept_numbers(redis: Redis, integration_id: str) -> list[int]:
    """Numbers of the copies that were made of it; some may have gone since."""
    with guarded():
        return [int(number) for number in await redis.zrange(keys.pins(integration_id), 0, -1)]
