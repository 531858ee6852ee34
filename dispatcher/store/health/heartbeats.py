"""Which workers are alive, by the store's clock. A worker that stays silent for ten seconds is not."""

from __future__ import annotations

import contextlib
from typing import Any

from redis.exceptions import OutOfMemoryError

from dispatcher.store import keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Call, Client, run, script

ALIVE_MS = 3_500
FORGOTTEN_MS = 60_000


class Heartbeats:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def beat(self, worker_id: str, info: bytes) -> int:
        """Say that this worker lives; returns how many were heard of lately, this one included."""
        with guarded():
            call = Call(script("beat"), keys.WORKERS, (worker_id, ALIVE_MS, FORGOTTEN_MS))
            alive: Any = (await run(self._client, [call]))[0]
            with contextlib.suppress(OutOfMemoryError):  # only looked at, never worked with
                await self._client.set(keys.worker_info(worker_id), info, px=10_000)
        return int(alive)

    async def leave(self, worker_id: str) -> None:
        """A worker that stops is not waited for."""
        with guarded():
            await self._client.zrem(keys.WORKERS, worker_id)
            await self._client.delete(keys.worker_info(worker_id))
