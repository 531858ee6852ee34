"""Which workers are alive, by the store's clock. A worker that stays silent for ten seconds is not."""

from __future__ import annotations

from typing import Any

from dispatcher.store import keys
from dispatcher.store.connection import guarded
from dispatcher.store.scripts import Client

ALIVE_MS = 3_500
FORGOTTEN_MS = 60_000


class Heartbeats:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def beat(self, worker_id: str, info: bytes) -> int:
        """Say that this worker lives; returns how many were heard of lately, this one included."""
        with guarded():
            now_s, now_us = await self._client.time()
            now_ms = int(now_s) * 1000 + int(now_us) // 1000
            await self._client.set(keys.worker_info(worker_id), info, px=10_000)
            await self._client.zadd(keys.WORKERS, {worker_id: now_ms})
            await self._client.zremrangebyscore(keys.WORKERS, "-inf", now_ms - FORGOTTEN_MS)
            alive: Any = await self._client.zcount(keys.WORKERS, now_ms - ALIVE_MS, "+inf")
        return int(alive)

    async def leave(self, worker_id: str) -> None:
        """A worker that stops is not waited for."""
        with guarded():
            await self._client.zrem(keys.WORKERS, worker_id)
            await self._client.delete(keys.worker_info(worker_id))
