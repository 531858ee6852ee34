"""The worker process, from its start to its stop. Its parts are put together in ``worker.composition``.

arq hands out partitions and background jobs (``worker.jobs``); the owner drains them (``worker.partition.owner``) while
its lease lives. No job of arq stays while a partition is owned: arq asks Redis about every job at every poll.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.connectors.erasing import EVERY_S as ERASE_EVERY_S
from dispatcher.flow.events.making.operational_events import FLUSH_EVERY_S
from dispatcher.flow.installations.upkeep.drafts import EVERY_S as DRAFTS_EVERY_S
from dispatcher.flow.installations.upkeep.reconcile import EVERY_S as RECONCILE_EVERY_S
from dispatcher.flow.installations.upkeep.upgrade_rounds import EVERY_S as UPGRADE_EVERY_S
from dispatcher.periodic import Work, every
from dispatcher.settings import Settings
from dispatcher.store.queue.owning.nudges import follow_nudges
from dispatcher.store.redis.scripts import forget_other_versions
from dispatcher.telemetry.watchdog import Watchdog
from worker.archiving import EVERY_S as ARCHIVE_EVERY_S
from worker.composition import Composition, compose
from worker.delivery.held_types import EVERY_S as HELD_EVERY_S
from worker.jobs import ERRANDS, drains, take_jobs
from worker.lookout import EVERY_S as LOOK_EVERY_S
from worker.resources import open_resources
from worker.upkeep import EVERY_S as UPKEEP_EVERY_S

Task = asyncio.Task[None]

FORGET_EVERY_S = 3600.0
"""Between looks for functions of other versions of this program, which are kept for nobody once all run this one."""

log = structlog.get_logger("worker")


@contextlib.asynccontextmanager
async def _metrics(settings: Settings, parts: Composition, watchdog: Watchdog) -> AsyncIterator[None]:
    """Serve and push the figures of this process, where either is wanted: importing what does takes 20 ms."""
    port, url = settings.metrics_port, settings.metrics_url
    if port is None and url is None:
        yield
        return
    from worker.metrics import metrics_pushed, metrics_site, registry_of

    registry = registry_of(parts.owner, lambda: parts.upkeep.lacks_key, watchdog)
    async with (
        metrics_site(settings.host, port, parts.owner, registry),
        metrics_pushed(registry, url, settings.metrics_interval),
    ):
        yield


async def run(settings: Settings, redis_url: str, stop: asyncio.Event, called: str = "") -> None:
    """Work until ``stop`` is set, then let running attempts end within ``drain_timeout`` and release everything.

    ``called`` ends its id, as whoever started it wants.
    """
    queue_url = settings.queue_redis_url or redis_url
    watchdog, halt, over = Watchdog("worker"), asyncio.Event(), asyncio.Event()
    async with (
        watchdog.watching(),
        open_resources(settings, redis_url, queue_url, called) as resources,
        compose(resources) as parts,
        parts.sampler.sampling(),
        _metrics(settings, parts, watchdog),
    ):
        delivering, listening = _delivering(parts, over, redis_url)
        finishing = _finishing(parts, halt)
        cancelled = _cancelled(parts, halt, settings.partitions, queue_url)
        forgetting = partial(forget_other_versions, resources.stores.redis)
        cancelled.append(_every(FORGET_EVERY_S, forgetting, halt, "functions"))
        log.info("worker started", worker=parts.owner.worker_id)
        await _until(stop, [delivering, listening, *finishing, *cancelled])
        log.info("worker stopping", in_flight=parts.owner.in_flight)
        parts.upkeep.withdraw()
        offering = asyncio.create_task(parts.upkeep.retire(), name="offering")
        for task in cancelled:
            task.cancel()
        halt.set()
        ended = await asyncio.gather(*finishing, return_exceptions=True)
        await _sign_off(parts)
        ended += await asyncio.gather(*cancelled, return_exceptions=True)
        over.set()
        parts.owner.nudge()
        ended += await asyncio.gather(delivering, return_exceptions=True)
        await _release(parts, settings.drain_timeout)
        offering.cancel()
        listening.cancel()
        ended += await asyncio.gather(listening, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


def _delivering(parts: Composition, over: asyncio.Event, redis_url: str) -> tuple[Task, Task]:
    """Tasks that go on while the others end: attempts are settled, and nobody takes a worker for lost that listens."""
    nudges = partial(follow_nudges, redis_url, parts.owner.worker_id, parts.owner.nudge, parts.owner.take_given)
    return asyncio.create_task(parts.owner.run(over), name="owner"), _every(1.0, nudges, over, "nudges")


def _finishing(parts: Composition, halt: asyncio.Event) -> list[Task]:
    """Tasks that end with their round once ``halt`` is set."""
    return [
        _every(UPKEEP_EVERY_S, parts.upkeep.once, halt, "upkeep"),
        _every(LOOK_EVERY_S, parts.upkeep.watch, halt, "lookout"),
        _every(UPKEEP_EVERY_S, parts.upkeep.tend, halt, "tending"),
    ]


def _cancelled(parts: Composition, halt: asyncio.Event, partitions: int, queue_url: str) -> list[Task]:
    """Tasks that may be cancelled anywhere."""
    archiving = parts.archiving
    return [
        *([_every(ARCHIVE_EVERY_S, archiving.once, halt, "archive")] if archiving else []),
        _every(1.0, partial(take_jobs, queue_url, drains(partitions), parts.work, parts.heard), halt, "jobs"),
        _every(1.0, partial(take_jobs, queue_url, ERRANDS, parts.work, parts.heard), halt, "errands"),
        _every(1.0, parts.pings.scheduled.once, halt, "scheduled pings"),
        _every(HELD_EVERY_S, parts.held.once, halt, "paused types"),
        _every(5.0, parts.rotating.once, halt, "signing key rotation"),
        _every(30.0, partial(parts.resealing.once, halt), halt, "resealing"),
        _every(RECONCILE_EVERY_S, parts.reconciler.once, halt, "installations"),
        _every(ERASE_EVERY_S, parts.erasing.once, halt, "erasing"),
        _every(DRAFTS_EVERY_S, parts.drafts.once, halt, "drafts"),
        _every(UPGRADE_EVERY_S, parts.upgrades.once, halt, "upgrades"),
        _every(FLUSH_EVERY_S, parts.operational.flush, halt, "operational events"),
    ]


def _every(seconds: float, work: Work, halt: asyncio.Event, name: str) -> Task:
    return asyncio.create_task(every(seconds, work, halt, name=name), name=name)


async def _until(stop: asyncio.Event, tasks: Sequence[Task]) -> None:
    """Until ``stop`` is set, or a task ends that should not."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _sign_off(parts: Composition) -> None:
    """Its heartbeats have ended, so nobody may look for them: what still runs would be taken for lost, and repeated.

    From now on the others share out among themselves what it lets go; killed meanwhile, it is found by its leases.
    """
    with contextlib.suppress(StoreUnavailable):
        await parts.beats.leave(parts.owner.worker_id)


async def _release(parts: Composition, drain_timeout_s: float) -> None:
    await parts.owner.stop(drain_timeout_s)
    await parts.operational.flush(everything=True)
    await _sign_off(parts)  # anew: the store may have been away
    with contextlib.suppress(StoreUnavailable):
        await parts.upkeep.find_unowned()
