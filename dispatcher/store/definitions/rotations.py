"""When the signing keys of each integration are rotated next. Never rotates, and knows no intervals."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.store import keys
from dispatcher.store.definitions.ping_schedule import HELD_MS, Due
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

_TAKE = script("definitions/take_due")


class Rotations:
    """Any number of workers may take from it: what is due goes to one of them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def at(self, integration_id: str, when_ms: int) -> None:
        """Not before ``when_ms``."""
        with guarded():
            await self._redis.zadd(keys.ROTATIONS_DUE, {integration_id: when_ms})

    async def drop(self, integration_id: str) -> None:
        with guarded():
            await self._redis.zrem(keys.ROTATIONS_DUE, integration_id)

    async def take(self, limit: int) -> Due:
        """Up to ``limit`` that are due. One whose taker is lost is due again after a minute."""
        now_ms, *taken = await reply_of(self._redis, _TAKE.call([keys.ROTATIONS_DUE], limit, HELD_MS))
        return Due(now_ms, tuple(one.decode() for one in taken))
