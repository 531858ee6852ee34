"""Signs of life of workers, by the store's clock. How long a silent one counts as alive is the model's to say."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import RedisCluster
from redis.exceptions import OutOfMemoryError, ResponseError

from dispatcher.model.queue import WORKER_ALIVE_MS, WORKER_FORGOTTEN_MS
from dispatcher.store.keys import deployment as keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, reply_of, script

RENEWED_MS = 900
"""Age from which a heartbeat is renewed: less than a worker's passes of upkeep are apart, since each is a write."""

_BEAT = script("health/beat", keys.WORKERS)
_CHANNEL = queue_keys.nudge_channel("")

log = structlog.get_logger("listeners")


@dataclass(frozen=True, slots=True)
class Signs:
    """One look at all workers that are not forgotten. ``listening`` None: whoever looked cannot know that here."""

    now_ms: int
    beats: Mapping[str, int]
    listening: frozenset[str] | None

    @property
    def alive(self) -> set[str]:
        """Those heard of lately."""
        return {worker for worker, beat_ms in self.beats.items() if beat_ms >= self.now_ms - WORKER_ALIVE_MS}


class Heartbeats:
    """Counts who listens as well, but in a cluster: there each node knows its own subscribers only."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._channel = "" if isinstance(client, RedisCluster) else _CHANNEL
        self._refused = False

    async def look(self, worker_id: str) -> Signs:
        """See who lives and listens, and show this worker: where its heartbeat is old, or it is not heard itself."""
        call = _BEAT.call((), worker_id, WORKER_FORGOTTEN_MS, RENEWED_MS, self._channel)
        now_ms, beats, counted = await reply_of(self._client, call)
        return Signs(int(now_ms), _by_worker(beats), self._heard(counted) if self._channel else None)

    def _heard(self, counted: Any) -> frozenset[str]:
        """None where the user of Redis may not ask, which is told once."""
        refused = isinstance(counted, ResponseError)
        if refused and not self._refused:
            log.warning("a lost worker is found by its lease only", error=str(counted))
        self._refused = refused
        heard = {} if refused else _by_worker(counted)
        return frozenset(name.removeprefix(_CHANNEL) for name, listeners in heard.items() if listeners)

    async def tell(self, worker_id: str, info: bytes) -> None:
        """Say what this worker does."""
        with guarded(), contextlib.suppress(OutOfMemoryError):  # only looked at, never worked with
            await self._client.set(keys.worker_info(worker_id), info, px=WORKER_FORGOTTEN_MS)

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


def _by_worker(pairs: Sequence[Any]) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in zip(pairs[::2], pairs[1::2], strict=True)}
