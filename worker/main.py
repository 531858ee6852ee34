"""The worker process, from its start to its stop. Its parts are put together in ``worker.composition``.

arq hands out partitions and background jobs (``worker.jobs``); the owner drains them (``worker.partition.owner``) while
its lease lives. No job of arq stays while a partition is owned: arq asks Redis about every job at every poll.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.events.operational_news import FLUSH_EVERY_S
from dispatcher.periodic import Work, every
from dispatcher.settings import Settings
from dispatcher.store.queue.nudges import follow_nudges
from dispatcher.telemetry.watchdog import Watchdog
from worker.composition import Crew, crew_of
from worker.jobs import take_jobs
from worker.metrics import metrics_site
from worker.resources import ground_of
from worker.upkeep import EVERY_S as UPKEEP_EVERY_S

Task = asyncio.Task[None]

log = structlog.get_logger("worker")


async def run(settings: Settings, redis_url: str, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set, then let running attempts end within ``drain_timeout`` and let go of everything."""
    queue_url = settings.queue_redis_url or redis_url
    watchdog, halt = Watchdog("worker"), asyncio.Event()
    async with (
        watchdog.watching(),
        ground_of(settings, redis_url, queue_url) as ground,
        crew_of(ground) as crew,
        metrics_site(settings.host, settings.metrics_port, crew.owner, watchdog),
    ):
        finishing = _finishing(crew, halt)
        breaking_off = _breaking_off(crew, halt, settings.partitions, redis_url, queue_url)
        log.info("worker started", worker=crew.owner.worker_id)
        await _until(stop, [*finishing, *breaking_off])
        log.info("worker stopping", in_flight=crew.owner.in_flight)
        for task in breaking_off:
            task.cancel()
        halt.set()
        crew.owner.nudge()
        ended = await asyncio.gather(*finishing, *breaking_off, return_exceptions=True)
        await _let_go(crew, settings.drain_timeout)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


def _finishing(crew: Crew, halt: asyncio.Event) -> list[Task]:
    """What ends by itself, once ``halt`` is set, with its round."""
    return [
        asyncio.create_task(crew.owner.run(halt), name="owner"),
        _every(UPKEEP_EVERY_S, crew.upkeep.once, halt, "upkeep"),
    ]


def _breaking_off(crew: Crew, halt: asyncio.Event, partitions: int, redis_url: str, queue_url: str) -> list[Task]:
    """What may be cancelled anywhere."""
    return [
        asyncio.create_task(follow_nudges(redis_url, crew.owner.worker_id, crew.owner.nudge), name="nudges"),
        asyncio.create_task(take_jobs(queue_url, partitions, crew.work), name="jobs"),
        _every(1.0, crew.pings.probing.once, halt, "scheduled pings"),
        _every(5.0, crew.rotating.once, halt, "signing key rotation"),
        _every(30.0, partial(crew.resealing.once, halt), halt, "resealing"),
        _every(FLUSH_EVERY_S, crew.news.flush, halt, "operational events"),
    ]


def _every(seconds: float, work: Work, halt: asyncio.Event, name: str) -> Task:
    return asyncio.create_task(every(seconds, work, halt, name=name), name=name)


async def _until(stop: asyncio.Event, tasks: Sequence[Task]) -> None:
    """Until ``stop`` is set, or a task ends that should not."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _let_go(crew: Crew, drain_timeout_s: float) -> None:
    await crew.owner.stop(drain_timeout_s)
    await crew.news.flush(everything=True)
    with contextlib.suppress(StoreUnavailable):
        await crew.beats.leave(crew.owner.worker_id)
        await crew.upkeep.hand_out()
