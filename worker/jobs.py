"""Takes jobs from arq's queues. A job only names things in the store, which is the truth about them.

arq looks for jobs every so often, however long there are none. Here it looks when it is told of one, often for a while
after that, and seldom otherwise, should a word be lost or an older process enqueue without one.

arq's worker ends at any Redis error, so it is started again for as long as the process lives. Jobs never raise
to arq: it would call them failed for ever, and nobody would look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from arq import Retry
from arq.worker import Function, Worker

from dispatcher.errors import StoreUnavailable
from dispatcher.periodic import until_next
from dispatcher.store.jobs import announcement, deserialize, job_client, serialize
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded

JOB_TIMEOUT_S = 600.0
DRAIN_POLL_S = 0.5
"""Pause of a partition that its finder has no share for."""
ERRAND_POLL_S = 0.25
"""Pause of a ping test that another worker had no room for; somebody looks at it."""
IDLE_POLL_S = 2.0
WATCHFUL_S = 5.0
"""So long after a word or a job more of them may come, or come back."""
ERRANDS_AT_ONCE = 1000
"""Taken from the queue, most of them to wait for their place (``worker/ping/errands``)."""
ENOUGH_TRIES = 1_000_000
LONGEST_PAUSE_S = 2.0

Job = Callable[..., Awaitable[None]]
Heard = Callable[[Callable[[str], None]], AbstractContextManager[None]]
"""Has somebody hear of all that is announced, and of '' when a word may have been lost."""

log = structlog.get_logger("jobs")


class NotNow(Exception):
    """The job is for another worker, or for later."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One of arq's queues, and how it is read."""

    name: str
    at_once: int
    read_at_once: int
    poll_s: float


class Summons:
    """Says when a queue is to be looked into again."""

    def __init__(self, queue: Queue) -> None:
        self._poll_s = queue.poll_s
        self._mine = ("", announcement(queue.name))
        self._called = asyncio.Event()
        self._watchful_until_s = 0.0

    def hear(self, said: str) -> None:
        if said in self._mine:
            self._called.set()

    async def next(self, *, busy: bool) -> None:
        """Returns at once when it was called meanwhile. ``busy``: jobs run."""
        clock = asyncio.get_running_loop().time
        idle = clock() >= self._watchful_until_s
        with suppress(TimeoutError):
            async with asyncio.timeout(until_next(IDLE_POLL_S, clock()) if idle else self._poll_s):
                await self._called.wait()
        if busy or self._called.is_set():
            self._watchful_until_s = clock() + WATCHFUL_S
        self._called.clear()


class _Summoned(Worker):
    """arq's, which looks whenever it is called."""

    def __init__(self, summons: Summons, **options: Any) -> None:
        super().__init__(**options)
        self._summons = summons

    async def main(self) -> None:
        """As arq's own, but for the pause."""
        self.ctx["redis"] = self.pool
        while True:
            await self._poll_iteration()
            await self._summons.next(busy=bool(self.tasks))


def drains(partitions: int) -> Queue:
    """Partitions that are handed out."""
    return Queue(keys.JOBS, partitions * 2 + 16, partitions * 4 + 200, DRAIN_POLL_S)


ERRANDS = Queue(keys.ERRANDS, ERRANDS_AT_ONCE, ERRANDS_AT_ONCE, ERRAND_POLL_S)
"""Work that somebody asked for, and that hosts may hold up."""


async def take_jobs(url: str, queue: Queue, jobs: Mapping[str, Job], heard: Heard) -> None:
    """Run ``jobs`` by name as they come. Never ends by itself."""
    functions, summons = [_function(name, job) for name, job in jobs.items()], Summons(queue)
    with heard(summons.hear):
        await _keep_working(url, queue, functions, summons)


async def _keep_working(url: str, queue: Queue, functions: list[Function], summons: Summons) -> None:
    pause_s = 0.1
    while True:
        began = asyncio.get_running_loop().time()
        try:
            with guarded():
                await _work(url, queue, functions, summons)
        except StoreUnavailable as error:
            log.warning("job queue unavailable", error=str(error), retry_in_s=pause_s)
        await asyncio.sleep(pause_s)
        lived_s = asyncio.get_running_loop().time() - began
        pause_s = 0.1 if lived_s > 10 else min(pause_s * 2, LONGEST_PAUSE_S)


async def _work(url: str, queue: Queue, functions: list[Function], summons: Summons) -> None:
    pool = job_client(url)
    worker = _Summoned(
        summons,
        functions=functions,
        redis_pool=pool,
        queue_name=queue.name,
        handle_signals=False,
        max_jobs=queue.at_once,
        queue_read_limit=queue.read_at_once,
        poll_delay=queue.poll_s,
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
        await asyncio.sleep(2 * queue.poll_s)
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
            raise Retry(defer=DRAIN_POLL_S) from None
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
