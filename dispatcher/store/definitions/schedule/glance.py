"""One look at many sorted sets of times, for those who look often and mostly find nothing.

A worker looks into each of them about twice a second; an idle one asks for all of them at once. By plain commands: a
script costs Redis three times as much.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Sequence

from redis.asyncio import Redis

from dispatcher.store.redis.scripts import each_command

FRESH_S = 0.4
"""Time for which a look counts: what becomes due meanwhile waits so much longer at most."""


class Glance:
    """One per process. Raises ``StoreUnavailable``; a set that cannot be read has nothing due."""

    def __init__(self, redis: Redis, keys: Sequence[str], now_ms: Callable[[], int]) -> None:
        """``now_ms``: by the store's clock."""
        self._redis = redis
        self._keys = tuple(keys)
        self._now_ms = now_ms
        self._due: Collection[str] = ()
        self._looked_s = -math.inf
        self._looking = asyncio.Lock()

    async def is_due(self, key: str) -> bool:
        """False: nothing was due in it when all were last looked at."""
        async with self._looking:
            clock = asyncio.get_running_loop().time
            if clock() - self._looked_s >= FRESH_S:
                commands = [("ZCOUNT", key, "-inf", self._now_ms()) for key in self._keys]
                counts = await each_command(self._redis, commands)
                self._due = {key for key, due in zip(self._keys, counts, strict=True) if isinstance(due, int) and due}
                self._looked_s = clock()
        return key in self._due
