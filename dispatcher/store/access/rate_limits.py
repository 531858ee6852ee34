"""Token buckets that all processes share: how many requests a client may make, how many secrets may be guessed.

Never decides what happens to whoever gets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.scripts import reply_of, script

_TAKE = script("access/take_tokens")


@dataclass(frozen=True, slots=True)
class Bucket:
    """``name`` is whose it is. It holds ``most`` tokens, and gets ``rate_per_s`` of them back each second."""

    name: str
    rate_per_s: float
    most: float

    @property
    def key(self) -> str:
        return keys.rate_limit(self.name)


@dataclass(frozen=True, slots=True)
class Grant:
    """``left``: whole tokens that remain; ``wait_s``: until there is one."""

    granted: int
    left: int
    wait_s: float


class RateLimits:
    """Takes tokens, or only looks."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, bucket: Bucket, wanted: int = 1) -> Grant:
        """Up to ``wanted`` tokens; 0 = look."""
        call = _TAKE.call([bucket.key], bucket.rate_per_s, bucket.most, wanted)
        granted, left, wait_ms = await reply_of(self._redis, call)
        return Grant(granted, left, wait_ms / 1000)
