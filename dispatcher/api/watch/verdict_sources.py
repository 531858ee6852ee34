"""Puts together what the verdict is judged from. Judges nothing."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from functools import partial

from dispatcher.api.services import Services
from dispatcher.api.watch.verdict import EmitCounts, VerdictWatch
from dispatcher.clock import DAY_MS, StoreClock
from dispatcher.flow.verdict.collecting import Collector
from dispatcher.flow.verdict.evaluation import Evaluation
from dispatcher.flow.verdict.probing import READ
from dispatcher.flow.verdict.sources import Sources, Updates
from dispatcher.model.queue import WORKER_FORGOTTEN_MS, WorkerView
from dispatcher.model.troubles import StuckJob
from dispatcher.store.archive.trouble import TroubleWatch
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.health.loss import recorded_losses
from dispatcher.store.health.pressure import Pressure
from dispatcher.store.health.set_aside import set_aside
from dispatcher.store.health.verdicts import VerdictStore
from dispatcher.store.installations.installed.unfinished import updates_in_progress
from dispatcher.store.keys.definitions import PINGS_DUE
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore
from dispatcher.store.queue.views.paused_types import PausedTypes
from dispatcher.store.queue.watching.overview import workers
from dispatcher.store.queue.watching.troubles import Troubles
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.reseal.stale_count import StaleCount


def verdict_watch(
    calm: StoreClient,
    services: Services,
    pressure: Pressure,
    high_water: float,
    clock: StoreClock,
    disable_after_days: float,
    emits: EmitCounts,
) -> VerdictWatch:
    """One per process. ``calm``: the client for what is done every so often.

    ``clock`` knows how far this machine's is ahead of the store's.
    """
    verdicts = VerdictStore(calm)
    definitions = services.definitions
    sources = Sources(
        troubles=Troubles(calm, services.queue.partitions),
        verdicts=verdicts,
        cache=services.cache,
        pressure=pressure,
        high_water=high_water,
        workers=partial(_workers, calm, clock),
        losses=partial(recorded_losses, calm),
        stale_values=StaleCount(calm).read,
        updates=partial(_updates, calm),
        redeliveries=partial(_redeliveries, RedeliveryStore(calm)),
        probed=DueStore(calm, PINGS_DUE).ids,
        pings=partial(definitions.pings.history, limit=READ),
        set_aside=partial(set_aside, calm),
        archive_trouble=TroubleWatch(services.reads.archive, clock.steady).now,
        paused_types=PausedTypes(calm).all,
        skew_ms=lambda: round(clock.machine_ahead_s() * 1000),
        disable_after_ms=round(disable_after_days * DAY_MS) or None,
    )
    process = f"api-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    evaluation = Evaluation(process, verdicts, Collector(sources), services.notify, services.queue.disable)
    return VerdictWatch(evaluation, emits, services.now_ms)


async def _workers(redis: StoreClient, clock: StoreClock) -> Sequence[WorkerView]:
    return await workers(redis, clock.now_ms() - WORKER_FORGOTTEN_MS)


async def _updates(redis: StoreClient) -> Updates:
    found = await updates_in_progress(redis)
    return Updates(found.count, StuckJob(*found.oldest) if found.oldest else None)


async def _redeliveries(store: RedeliveryStore) -> Sequence[StuckJob]:
    jobs = [await store.get(job_id) for job_id in await store.running()]
    return [StuckJob(job.id, 0, job.done + job.skipped, job.total) for job in jobs if job]
