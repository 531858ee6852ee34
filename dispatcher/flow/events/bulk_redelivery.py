"""Bulk redelivery: everything that a filter finds, worked off in the background, a page at a time.

Any API process goes on where one stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from dispatcher.errors import Conflict, DispatcherError, NotFound, RequestError, Unprocessable
from dispatcher.flow.events.reach import of_vendor
from dispatcher.flow.events.redeliver import redeliver
from dispatcher.ids import new_uuid
from dispatcher.model.access import Scope, effective
from dispatcher.model.queue import EventFilter, Page
from dispatcher.model.status import FAILURES
from dispatcher.store.access.clients import ClientStore
from dispatcher.store.definitions.cache import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.redeliveries import Redelivery, RedeliveryState, RedeliveryStore

PAGE = 200
COUNT_PAGE = 1000
COUNT_CAP = 10_000
"""Matches counted before the answer; what lies beyond is redelivered too, and counted on the way."""
LOOK_S = 5.0

log = structlog.get_logger("dispatcher.bulk")


def of_failures(condition: EventFilter) -> EventFilter:
    """The condition narrowed to failed events, which are all that can be redelivered. Raises ``Unprocessable``."""
    if not condition.statuses <= FAILURES:
        text = f"Only events that are {', '.join(sorted(FAILURES))} can be redelivered; filter for these."
        raise Unprocessable.of("invalid_value", text, "filter.status")
    return replace(condition, statuses=condition.statuses or FAILURES)


class Redeliverer:
    """One per process; run it with ``async with``."""

    def __init__(
        self,
        queue: QueueStore,
        definitions: Definitions,
        cache: DefinitionCache,
        store: RedeliveryStore,
        clients: ClientStore,
    ) -> None:
        self._clients = clients
        self._queue = queue
        self._definitions = definitions
        self._cache = cache
        self._store = store
        self._owner = new_uuid()
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

    async def count(self, condition: EventFilter) -> int:
        """Count the events that meet the condition, up to ``COUNT_CAP``."""
        matched, cursor = 0, None
        while matched < COUNT_CAP:
            page = await self._queue.page(condition, cursor, COUNT_PAGE, payloads=False)
            matched, cursor = matched + len(page.items), page.next_cursor
            if cursor is None:
                break
        return matched

    async def start(
        self, condition: EventFilter, matched: int, client_id: str, job_id: str | None = None
    ) -> Redelivery:
        """Write the job down and get going. It survives this process, and ends with the rights of its client."""
        job = Redelivery(job_id or new_uuid(), condition, total=matched, client_id=client_id)
        await self._store.save(job)
        self._nudge.set()
        return job

    async def find(self, job_id: str) -> Redelivery | None:
        return await self._store.get(job_id)

    async def _work(self) -> None:
        while True:
            try:
                for job_id in await self._store.running():
                    await self._take(job_id)
            except DispatcherError as error:
                log.warning("bulk redelivery waits", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), LOOK_S)
            self._nudge.clear()

    async def _take(self, job_id: str) -> None:
        if not await self._store.claim(job_id, self._owner):
            return
        job = await self._store.get(job_id)
        if job is None:
            await self._store.forget(job_id)
            return
        while job.state is RedeliveryState.RUNNING and await self._store.claim(job_id, self._owner):
            job = await self._advanced(job)
            await self._store.save(job)
        await self._store.release(job_id)

    async def _advanced(self, job: Redelivery) -> Redelivery:
        """The job one page further, or FAILED when it cannot go on and trying again would not help."""
        if not await self._is_allowed(job):
            log.warning("bulk redelivery failed", job=job.id, error="its client may redeliver no more")
            return replace(job, state=RedeliveryState.FAILED)
        try:
            return await self._next_page(job)
        except RequestError as error:
            log.warning("bulk redelivery failed", job=job.id, error=str(error))
            return replace(job, state=RedeliveryState.FAILED)

    async def _is_allowed(self, job: Redelivery) -> bool:
        """True while its client could ask for it."""
        if not job.client_id:
            return True
        client = await self._clients.get(job.client_id)
        if client is None or client.disabled or Scope.OPS_WRITE not in effective(client.scopes):
            return False
        bound_elsewhere = client.account_id is not None or client.marketplaces is not None
        return not bound_elsewhere and client.vendor_id in (None, job.condition.vendor_id)

    async def _next_page(self, job: Redelivery) -> Redelivery:
        return await self._redeliver_oldest(job) if job.listed else await self._list_page(job)

    async def _list_page(self, job: Redelivery) -> Redelivery:
        condition = await of_vendor(job.condition, self._definitions)
        page = Page([], None)
        if condition is not None:
            page = await self._queue.page(condition, job.cursor or None, PAGE, payloads=False)
        await self._store.found(job.id, [stored.event.id for stored in page.items])
        return replace(job, cursor=page.next_cursor or "", listed=page.next_cursor is None)

    async def _redeliver_oldest(self, job: Redelivery) -> Redelivery:
        """Oldest first: events of one account go again in the order in which they were accepted."""
        event_ids = await self._store.oldest(job.id, PAGE)
        if not event_ids:
            return replace(job, state=RedeliveryState.DONE, total=job.done + job.skipped)
        done = await self._redelivered(event_ids)
        await self._store.drop_oldest(job.id, len(event_ids))
        job = replace(job, done=job.done + done, skipped=job.skipped + len(event_ids) - done)
        return replace(job, total=max(job.total, job.done + job.skipped))

    async def _redelivered(self, event_ids: Sequence[str]) -> int:
        done = 0
        for event_id in event_ids:
            stored = await self._queue.get(event_id)
            if stored is None:
                continue
            with contextlib.suppress(Conflict, NotFound):
                await redeliver(stored.event, self._queue, self._cache)
                done += 1
        return done
