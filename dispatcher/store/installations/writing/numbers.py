"""Numbers that people type: of marketplaces, connector templates, connectors and their properties. Never reused."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Literal, cast

from redis.asyncio import Redis

from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

Counted = Literal["marketplace", "template", "connector", "property"]


async def next_number(redis: Redis, kind: Counted, several: int = 1) -> int:
    """The first of ``several`` numbers in a row that nobody else is given."""
    with guarded():
        last = await cast("Awaitable[int]", redis.hincrby(keys.INSTALLATION_COUNTERS, kind, several))
    return last - several + 1
