"""Counts what is unfinished among installations: updates in progress, and effects that the queue does not have yet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.server_time import server_now_ms


@dataclass(frozen=True, slots=True)
class Unfinished:
    """``oldest``: an installation, and since when, in ms; None = there is none."""

    count: int
    oldest: tuple[str, int] | None


async def updates_in_progress(redis: Redis, older_ms: int = 0) -> Unfinished:
    """Those that began longer ago than that."""
    return await _counted(redis, keys.UPDATES, older_ms)


async def effects_waiting(redis: Redis, older_ms: int = 0) -> Unfinished:
    """Installations whose effects have been in the outbox for longer than that."""
    return await _counted(redis, keys.OUTBOX, older_ms)


async def _counted(redis: Redis, key: str, older_ms: int) -> Unfinished:
    latest = await server_now_ms(redis) - older_ms if older_ms else "+inf"
    with guarded():
        count, first = await asyncio.gather(
            redis.zcount(key, "-inf", latest),
            redis.zrangebyscore(key, "-inf", latest, start=0, num=1, withscores=True),
        )
    oldest = [(member.decode(), int(score)) for member, score in first]
    return Unfinished(int(count), oldest[0] if oldest else None)
