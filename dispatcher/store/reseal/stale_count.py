"""The number of sealed values that need an older key, as last counted, and the turn to count next. Seals nothing."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded


class StaleCount:
    """Shared by all processes; see ``keys.SEALED_STALE``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self) -> int | None:
        """None: nobody has counted yet."""
        with guarded():
            stored = await self._redis.get(keys.SEALED_STALE)
        return int(stored) if stored is not None else None

    async def write(self, stale: int) -> None:
        with guarded():
            await self._redis.set(keys.SEALED_STALE, stale)

    async def take_turn(self, worker_id: str, for_ms: int) -> bool:
        """True when it is this worker's turn; nobody else has one for ``for_ms``."""
        with guarded():
            return bool(await self._redis.set(keys.SEALED_TURN, worker_id, nx=True, px=for_ms))
