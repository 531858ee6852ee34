"""Jobs for workers, which are told of them."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.jobs import JobQueue, announcement, job_client
from dispatcher.store.keys import deployment as keys


async def test_whoever_listens_hears_of_a_job_that_is_there(redis: Redis, redis_url: str) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    client = job_client(redis_url)
    async with DefinitionCache(Definitions(redis), redis) as cache, asyncio.timeout(30):
        with cache.heard(said.put_nowait):
            assert await said.get() == ""
            await JobQueue(client, redis).ping("integration", "test")
            assert await said.get() == announcement(keys.ERRANDS)
            assert await redis.zcard(keys.ERRANDS) == 1
            await JobQueue(client, redis).drain(3, 17)
            assert await said.get() == announcement(keys.JOBS)
    await client.aclose(close_connection_pool=True)
