"""Bulk jobs: everything that a filter finds, worked off in the background, one step of each job after the other.

Any API process goes on where one stopped. Never acts on an event itself: ``bulk_step`` does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from dispatcher.errors import DispatcherError, RequestError
from dispatcher.flow.events.acting.bulk_step import BulkSteps, Step
from dispatcher.model.access import Scope, effective, is_person
from dispatcher.model.redelivery import Redelivery, RedeliveryState
from dispatcher.store.access.clients import ClientStore
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore

LOOK_S = 5.0
"""Longest wait before jobs of other processes are looked for; shorter than a claim lasts."""
SHORTEST_PAUSE_S = 0.1
"""Between steps of jobs with a rate: what is due in between is handled together."""

log = structlog.get_logger("dispatcher.bulk")


class Redeliverer:
    """One per process; run it with ``async with``."""

    def __init__(
        self, steps: BulkSteps, store: RedeliveryStore, clients: ClientStore, owner: str, now_ms: Callable[[], int]
    ) -> None:
        """``owner`` names the process."""
        self._steps = steps
        self._store = store
        self._clients = clients
        self._owner = owner
        self._now_ms = now_ms
        self._nudge = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name="bulk-redelivery")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def start(self, job: Redelivery) -> Redelivery:
        """Write the job down and get going. It survives this process, and ends with the rights of its client."""
        started = await self._store.start(job)
        self._nudge.set()
        return started

    async def _work(self) -> None:
        while True:
            pause_s = LOOK_S
            try:
                pause_s = await self._round()
            except DispatcherError as error:
                log.warning("bulk jobs wait", error=str(error))
            if pause_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._nudge.wait()
            self._nudge.clear()

    async def _round(self) -> float:
        """One step of every job that runs, so that none waits for another. Seconds until there is more to do."""
        pauses = [await self._turn(job_id) for job_id in await self._store.running()]
        return min(pauses, default=LOOK_S)

    async def _turn(self, job_id: str) -> float:
        """One step of one job, unless another process has it. Seconds until its next."""
        if not await self._store.claim(job_id, self._owner):
            return LOOK_S
        job = await self._store.get(job_id)
        if job is None:
            await self._store.forget(job_id)
            return LOOK_S
        if job.state is RedeliveryState.RUNNING:
            step = await self._step(job)
            job = replace(step.job, state=await self._store.advance(step.job, step.found, step.items))
        if job.state is not RedeliveryState.RUNNING:
            await self._store.release(job_id)
            return LOOK_S
        return self._pause_s(job)

    def _pause_s(self, job: Redelivery) -> float:
        if not job.next_ms:
            return 0.0
        return min(LOOK_S, max(SHORTEST_PAUSE_S, (job.next_ms - self._now_ms()) / 1000))

    async def _step(self, job: Redelivery) -> Step:
        """The job one step further, or FAILED when it cannot go on and trying again would not help."""
        if not await self._is_allowed(job):
            log.warning("bulk job failed", job=job.id, error="its client may act in bulk no more")
            return Step(replace(job, state=RedeliveryState.FAILED))
        try:
            return await self._steps.step(job)
        except RequestError as error:
            log.warning("bulk job failed", job=job.id, error=str(error))
            return Step(replace(job, state=RedeliveryState.FAILED))

    async def _is_allowed(self, job: Redelivery) -> bool:
        """True while its client could ask for it. A person's rights were looked at when it began."""
        if not job.client_id or is_person(job.client_id):
            return True
        client = await self._clients.get(job.client_id)
        if client is None or client.disabled or Scope.OPS_WRITE not in effective(client.scopes):
            return False
        bound_elsewhere = client.account_id is not None or client.marketplaces is not None
        return not bound_elsewhere and client.vendor_id in (None, job.condition.vendor_id)
