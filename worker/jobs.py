"""Takes jobs from arq's queue. A job only names things in the store, which is the truth about them.

arq's worker ends at any Redis error, so it is started again for as long as the process lives. Jobs never raise
to arq: it would call them failed for ever, and nobody would look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from arq import Retry
from arq.worker import Function, Worker

from dispatcher.errors import StoreUnavailable
from dispatcher.store import keys
from dispatcher.store.jobs import deserialize, job_client, serialize
from dispatcher.store.redis.connection import guarded

JOB_TIMEOUT_S = 600.0
POLL_S = 0.1
ENOUGH_TRIES = 1_000_000
LONGEST_PAUSE_S = 2.0

Job = Callable[..., Awaitable[None]]

log = structlog.get_logger("jobs")


class NotNow(Exception):
    """The job is for another worker, or for later."""


async def take_jobs(url: str, partitions: int, jobs: Mapping[str, Job]) -> None:
    """Run ``jobs`` by name as they come. Never ends by itself."""
    functions = [_function(name, job) for name, job in jobs.items()]
    pause_s = 0.1
    while True:
        began = asyncio.get_running_loop().time()
        try:
            with guarded():
                await _work(url, partitions, functions)
        except StoreUnavailable as error:
            log.warning("job queue unavailable", error=str(error), retry_in_s=pause_s)
        await asyncio.sleep(pause_s)
        lived_s = asyncio.get_running_loop().time() - began
        pause_s = 0.1 if lived_s > 10 else min(pause_s * 2, LONGEST_PAUSE_S)


async def _work(url: str, partitions: int, functions: list[Function]) -> None:
    pool = job_client(url)
    worker = Worker(
        functions=functions,
        redis_pool=pool,
        queue_name=keys.JOBS,
        handle_signals=False,
        max_jobs=partitions * 2 + 16,
        queue_read_limit=partitions * 4 + 200,
        poll_delay=POLL_S,
        job_completion_wait=0,
        health_check_interval=3600,
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )
    main = asyncio.create_task(worker.async_run(), name="arq")
    try:
        await asyncio.shield(main)
    finally:
        worker.allow_pick_jobs = False  # a transaction that is cancelled midway loses its connection: let it end first
        await asyncio.sleep(2 * POLL_S)
        running = [main, *worker.tasks.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await pool.aclose(close_connection_pool=True)


def _function(name: str, job: Job) -> Function:
    async def run(ctx: dict[Any, Any], *arguments: Any, **named: Any) -> None:
        try:
            await job(*arguments, **named)
        except NotNow:
            raise Retry(defer=POLL_S) from None
        except Exception:
            log.exception("job broke off", job=name, arguments=arguments)

    return Function(
        name=name,
        coroutine=run,
        timeout_s=JOB_TIMEOUT_S,
        keep_result_s=0,
        keep_result_forever=False,
        max_tries=ENOUGH_TRIES,
    )
