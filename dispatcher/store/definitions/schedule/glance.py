"""One look at many sorted sets of times, for those who look often and mostly find nothing.

A worker looks into each of them twice a second; an idle one asks for all of them at once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Sequence

from redis.asyncio import Redis

from dispatcher.store.redis.scripts import reply_of, script

FRESH_S = 0.4
"""Time for which a look counts: what becomes due meanwhile waits so much longer at most."""

_DUE_KINDS = script("definitions/due_kinds")


class Glance:
    """One per process, at ``keys`` of one hash slot. Raises ``StoreUnavailable``."""

    def __init__(self, redis: Redis, keys: Sequence[str]) -> None:
        self._redis = redis
        self._keys = tuple(keys)
        self._due: Collection[str] = ()
        self._looked_s = -math.inf
        self._looking = asyncio.Lock()

    async def is_due(self, key: str) -> bool:
        """False: nothing was due in it when all were last looked at."""
        async with self._looking:
            clock = asyncio.get_running_loop().time
            if clock() - self._looked_s >= FRESH_S:
                flags = await reply_of(self._redis, _DUE_KINDS.call(self._keys))
                self._due = {known for known, is_due in zip(self._keys, flags, strict=True) if is_due}
                self._looked_s = clock()
        return key in self._due
