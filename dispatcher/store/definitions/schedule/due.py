"""Integrations that something is due for at a time: a ping by itself, a new signing key. Knows no intervals.

Any number of workers may take from it: what is due goes to one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.store.definitions.schedule.glance import Glance
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

HELD_MS = 60_000
"""Time that a worker has for what it took, before another may take it."""

_DONE = script("definitions/done_due")
_TAKE = script("definitions/take_due")


@dataclass(frozen=True, slots=True)
class Taken:
    """Integrations that were due, and the store's time then."""

    now_ms: int
    ids: tuple[str, ...]


NOTHING = Taken(0, ())


class DueStore:
    """One kind of thing, in the sorted set ``key``. ``held_ms``: the time of a worker for what it took.

    ``glance``: takes nothing, and asks nothing, while that sees nothing due.
    """

    def __init__(self, redis: Redis, key: str, held_ms: int = HELD_MS, glance: Glance | None = None) -> None:
        self._redis = redis
        self._key = key
        self._held_ms = held_ms
        self._glance = glance

    async def at(self, integration_id: str, when_ms: int) -> None:
        """Due not before ``when_ms``, and not at the time that was planned before; 0 = as soon as a worker looks."""
        with guarded():
            await self._redis.zadd(self._key, {integration_id: when_ms})

    async def put_off(self, integration_id: str, when_ms: int) -> None:
        """As ``at``, but one that was dropped meanwhile stays so."""
        with guarded():
            await self._redis.zadd(self._key, {integration_id: when_ms}, xx=True)

    async def drop(self, integration_id: str) -> None:
        """Never due again, until it is planned anew."""
        with guarded():
            await self._redis.zrem(self._key, integration_id)

    async def ids(self) -> list[str]:
        """All integrations in it, the next one first."""
        with guarded():
            found = await self._redis.zrange(self._key, 0, -1)
        return [one.decode() for one in found]

    async def done(self, integration_id: str, taken: Taken) -> None:
        """Drop one that was taken, unless it was planned anew meanwhile."""
        await reply_of(self._redis, _DONE.call([self._key], integration_id, taken.now_ms + self._held_ms))

    async def take(self, limit: int) -> Taken:
        """Up to ``limit`` that are due. One whose taker is lost is due again after ``held_ms``."""
        if self._glance and not await self._glance.is_due(self._key):
            return NOTHING
        now_ms, *ids = await reply_of(self._redis, _TAKE.call([self._key], limit, self._held_ms))
        return Taken(now_ms, tuple(one.decode() for one in ids))
