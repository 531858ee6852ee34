"""Hands ping tests to the workers, as background jobs. Holds ids only; the test itself is in ``Pings``."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingTest
from dispatcher.store.jobs import JobQueue, job_client, job_client_over


def open_jobs(redis: Redis, queue_url: str | None) -> JobQueue:
    """The workers' job queue: at ``queue_url``, else over the connections of ``redis``."""
    if queue_url is None:
        return JobQueue(job_client_over(redis), redis)
    client = job_client(queue_url)
    client.auto_close_connection_pool = True
    return JobQueue(client, redis)


class QueuedPings:
    """Starts a test by putting its id on the job queue."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs

    async def start(self, integration: Integration, test: PingTest) -> None:
        """A test that no worker takes in time counts as failed."""
        await self._jobs.ping(integration.id, test.id)
