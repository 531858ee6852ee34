"""Offers partitions and background jobs to all workers, as jobs of arq. Holds ids only, and nothing of value.

Losing every key of it costs a second: workers look for partitions without an owner and enqueue them again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from redis.asyncio import Redis, RedisCluster

from dispatcher.errors import ConfigurationError, StoreUnavailable
from dispatcher.store.keys import deployment as keys
from dispatcher.store.keys.definitions import DEFINITIONS_CHANNEL
from dispatcher.store.redis.connection import connection_pool, guarded

DRAIN = "drain"
PING = "ping"
CREDENTIALS = "credentials"
EXPIRES_MS = 3_600_000


def serialize(job: dict[str, Any]) -> bytes:
    """JSON in place of arq's default, pickle, which runs code of whoever can write to Redis."""
    return orjson.dumps(job, default=str)


def deserialize(job: bytes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(job)
    return found


def job_client(url: str) -> ArqRedis:
    """arq's client over a pool with every time-out stated."""
    return ArqRedis(
        connection_pool(url),
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=keys.JOBS,
        expires_extra_ms=EXPIRES_MS,
    )


def job_client_over(redis: Redis) -> ArqRedis:
    """As ``job_client``, over the connections of an open client. Raises ConfigurationError for a cluster's."""
    if isinstance(redis, RedisCluster):
        raise ConfigurationError("arq cannot keep its jobs in a cluster: set DISPATCHER_QUEUE_REDIS_URL")
    return ArqRedis(
        redis.connection_pool,
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=keys.JOBS,
        expires_extra_ms=EXPIRES_MS,
    )


def announcement(queue: str) -> str:
    """Said when there is something in ``queue``."""
    return f"jobs:{queue}"


class JobQueue:
    """Enqueues. Does not promise that a job ever runs."""

    def __init__(self, client: ArqRedis, store: Redis | None = None) -> None:
        """``store``: where workers are told of jobs; with None they find one when they look, within three seconds."""
        self._client = client
        self._store = store

    async def close(self) -> None:
        """Close the connections, unless they are another client's."""
        await self._client.aclose()

    async def drain(self, partition: int, generation: int) -> None:
        """Offer a granted partition to whichever worker has room, in place of the generation before.

        arq keeps the job of a killed worker for as long as it may run; enough of those hide every new one.
        """
        await self._forget(f"{DRAIN}:{partition}:{generation - 1}")
        await self._enqueue(keys.JOBS, DRAIN, f"{DRAIN}:{partition}:{generation}", partition, generation)

    async def offers(self, partition: int, generation: int) -> bool:
        """True while the job that hands this generation out is still there to be taken."""
        with guarded():
            return await self._client.zscore(keys.JOBS, f"{DRAIN}:{partition}:{generation}") is not None

    async def ping(self, integration_id: str, test_id: str) -> None:
        """Have a worker run a ping test."""
        await self._enqueue(keys.ERRANDS, PING, f"{PING}:{test_id}", integration_id, test_id)

    async def _forget(self, job_id: str) -> None:
        with guarded():
            await self._client.zrem(keys.JOBS, job_id)
            for prefix in (job_key_prefix, in_progress_key_prefix, retry_key_prefix):
                await self._client.delete(prefix + job_id)

    async def credentials(self, trial_id: str) -> None:
        """Have a worker try credentials out."""
        await self._enqueue(keys.ERRANDS, CREDENTIALS, f"{CREDENTIALS}:{trial_id}", trial_id)

    async def _enqueue(self, queue: str, function: str, job_id: str, *arguments: str | int) -> None:
        with guarded():
            await self._client.enqueue_job(
                function, *arguments, _job_id=job_id, _queue_name=queue, _expires=EXPIRES_MS / 1000
            )
        if self._store is not None:
            with suppress(StoreUnavailable), guarded():  # the job is there, and is found
                await self._store.publish(DEFINITIONS_CHANNEL, announcement(queue))
