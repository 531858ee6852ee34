"""Place of a walk over the installations of an integration: the last one that was looked at for one revision."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded


class UpgradePlaces:
    """One per worker."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def place(self, integration_id: str, revision: int) -> str:
        """The id behind which the walk for that revision goes on; '' = it begins."""
        with guarded():
            found = await cast("Awaitable[bytes | None]", self._redis.hget(keys.UPGRADES_AT, integration_id))
        number, _, place = (found or b"").decode().partition("\n")
        return place if number == str(revision) else ""

    async def note(self, integration_id: str, revision: int, place: str) -> None:
        with guarded():
            await cast("Awaitable[int]", self._redis.hset(keys.UPGRADES_AT, integration_id, f"{revision}\n{place}"))

    async def forget(self, integration_id: str) -> None:
        with guarded():
            await cast("Awaitable[int]", self._redis.hdel(keys.UPGRADES_AT, integration_id))
