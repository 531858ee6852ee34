"""Signs of life of workers, by the store's clock. How long a silent one counts as alive is the model's to say."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from redis.exceptions import OutOfMemoryError

from dispatcher.model.queue import WORKER_ALIVE_MS, WORKER_FORGOTTEN_MS
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, reply_of, script

_BEAT = script("health/beat", keys.WORKERS)


class Heartbeats:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def beat(self, worker_id: str, info: bytes) -> int:
        """Say that this worker lives, and what it does; returns how many were heard of lately, this one included."""
        beats = await self.sign(worker_id)
        with guarded(), contextlib.suppress(OutOfMemoryError):  # only looked at, never worked with
            await self._client.set(keys.worker_info(worker_id), info, px=WORKER_FORGOTTEN_MS)
        return len(alive_among(beats, worker_id))

    async def sign(self, worker_id: str) -> dict[str, int]:
        """Say that this worker lives; returns when it and every other that is not forgotten last said so."""
        beats = await reply_of(self._client, _BEAT.call((), worker_id, WORKER_FORGOTTEN_MS))
        return {worker.decode(): int(beat_ms) for worker, beat_ms in zip(beats[::2], beats[1::2], strict=True)}

    async def lacks_key(self, worker_id: str, now_ms: int) -> None:
        """Say that this worker lives and takes nothing, since it lacks the newest key: nobody shares with it."""
        await self.leave(worker_id)
        with guarded():
            await self._client.zadd(keys.KEYLESS_WORKERS, {worker_id: now_ms})
            await self._client.zremrangebyscore(keys.KEYLESS_WORKERS, "-inf", now_ms - WORKER_FORGOTTEN_MS)

    async def without_key(self, now_ms: int) -> list[str]:
        """Workers that said so lately."""
        with guarded():
            found = await self._client.zrangebyscore(keys.KEYLESS_WORKERS, now_ms - WORKER_ALIVE_MS, "+inf")
        return [worker_id.decode() for worker_id in found]

    async def leave(self, worker_id: str) -> None:
        """A worker that stops is not waited for."""
        with guarded():
            await self._client.zrem(keys.WORKERS, worker_id)
            await self._client.delete(keys.worker_info(worker_id))


def alive_among(beats: Mapping[str, int], worker_id: str) -> set[str]:
    """Those heard of lately, as of the heartbeat of ``worker_id``."""
    return {worker for worker, beat_ms in beats.items() if beat_ms >= beats[worker_id] - WORKER_ALIVE_MS}
