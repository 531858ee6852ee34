"""When each integration is pinged by itself next. Never pings, and knows no intervals."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.store import keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

HELD_MS = 60_000
"""How long a due integration is left to the worker that took it."""

_TAKE = script("definitions/take_due")


@dataclass(frozen=True, slots=True)
class Due:
    """What was taken, and the store's time then."""

    now_ms: int
    integrations: tuple[str, ...]


class PingSchedule:
    """Any number of workers may take from it: what is due goes to one of them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def soon(self, integration_id: str) -> None:
        """As the next."""
        with guarded():
            await self._redis.zadd(keys.PINGS_DUE, {integration_id: 0})

    async def at(self, integration_id: str, when_ms: int) -> None:
        """Not before ``when_ms``; one that was dropped meanwhile stays so."""
        with guarded():
            await self._redis.zadd(keys.PINGS_DUE, {integration_id: when_ms}, xx=True)

    async def drop(self, integration_id: str) -> None:
        with guarded():
            await self._redis.zrem(keys.PINGS_DUE, integration_id)

    async def take(self, limit: int) -> Due:
        """Up to ``limit`` that are due. One whose taker is lost is due again after ``HELD_MS``."""
        now_ms, *taken = await reply_of(self._redis, _TAKE.call([keys.PINGS_DUE], limit, HELD_MS))
        return Due(now_ms, tuple(one.decode() for one in taken))
