"""Says of a worker process that it has ended. Only for whoever waited for that end and saw it."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.queue.owning.leases import Leases


async def report_lost(redis: Redis, partitions: int, worker_id: str) -> list[int]:
    """End its leases, and let nobody count with it; returns the partitions that are free for others now."""
    leases = Leases(redis, partitions)
    ended = await leases.end(await leases.of([worker_id]))
    await Heartbeats(redis).leave(worker_id)
    return ended
