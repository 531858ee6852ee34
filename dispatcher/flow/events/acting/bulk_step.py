"""One step of a bulk job: find a page of events, or act on the oldest of them. Never decides whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dispatcher.errors import RequestError
from dispatcher.flow.events.acting.conclude import Conclusions
from dispatcher.flow.events.acting.redeliver import redeliver
from dispatcher.flow.events.reading.reach import of_vendor
from dispatcher.model.queue import Page, StoredEvent
from dispatcher.model.redelivery import BulkAction, Item, ItemOutcome, Redelivery, RedeliveryState
from dispatcher.policy.bulk_actions import allowance, before, is_meant
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore
from dispatcher.store.queue.events import QueueStore

PAGE = 200
"""Events found in one step."""
AT_ONCE = 50
"""Events acted on in one step: the others' turn comes soon, and a job that is cancelled ends soon."""

_TOO_LATE = frozenset({"wrong_status", "attempted_since", "not_found"})
"""Somebody or something else was faster, so that there is nothing to do any more."""


@dataclass(frozen=True, slots=True)
class Step:
    """A job after one step, and what came of it."""

    job: Redelivery
    found: Sequence[str] = ()
    items: Sequence[Item] = ()


class BulkSteps:
    """Everything that a job does to events."""

    def __init__(
        self,
        queue: QueueStore,
        definitions: Definitions,
        cache: DefinitionCache,
        store: RedeliveryStore,
        now_ms: Callable[[], int],
    ) -> None:
        self._queue = queue
        self._definitions = definitions
        self._cache = cache
        self._store = store
        self._now_ms = now_ms
        self._conclusions = Conclusions(queue, cache, now_ms)

    async def step(self, job: Redelivery) -> Step:
        """The job one step further. Raises ``RequestError`` when it cannot go on."""
        return await self._act(job) if job.listed else await self._find(job)

    async def _find(self, job: Redelivery) -> Step:
        condition = await of_vendor(before(job.condition, job.started_ms), self._definitions)
        page = Page([], None)
        if condition is not None:
            page = await self._queue.page(condition, job.cursor or None, PAGE, payloads=False)
        found = [one.event.id for one in page.items if is_meant(one, job.condition, job.started_ms)]
        count, listed = job.found + len(found), page.next_cursor is None
        total = count if listed else max(job.total, count)
        job = replace(job, cursor=page.next_cursor or "", listed=listed, found=count, total=total)
        return Step(_ended(job), found=found)

    async def _act(self, job: Redelivery) -> Step:
        """Oldest first: events of one account go again in the order in which they were accepted."""
        allowed, next_ms = allowance(job, self._now_ms(), AT_ONCE)
        event_ids = await self._store.oldest(job.id, allowed) if allowed else []
        items = [await self._item(job, event_id) for event_id in event_ids]
        return Step(_ended(_counted(replace(job, next_ms=next_ms), items)), items=items)

    async def _item(self, job: Redelivery, event_id: str) -> Item:
        stored = await self._queue.get(event_id)
        if stored is None:
            return Item(event_id, ItemOutcome.SKIPPED, "not_found")
        if not is_meant(stored, job.condition, job.started_ms):
            code = "attempted_since" if stored.state.status in job.condition.statuses else "wrong_status"
            return Item(event_id, ItemOutcome.SKIPPED, code)
        try:
            await self._do(job, stored)
        except RequestError as error:
            code = error.problems[0].code
            return Item(event_id, ItemOutcome.SKIPPED if code in _TOO_LATE else ItemOutcome.FAILED, code)
        return Item(event_id, ItemOutcome.DONE)

    async def _do(self, job: Redelivery, stored: StoredEvent) -> None:
        if job.action is BulkAction.REDELIVER:
            await redeliver(stored.event, self._queue, self._cache, job.started_ms)
        elif job.action is BulkAction.DELIVER_NOW:
            await self._queue.bring_forward(stored.event.id, job.started_ms)
        else:
            await self._conclusions.resolve(stored.event.id)


def _ended(job: Redelivery) -> Redelivery:
    return replace(job, state=RedeliveryState.DONE) if job.listed and job.handled >= job.found else job


def _counted(job: Redelivery, items: Sequence[Item]) -> Redelivery:
    count = dict.fromkeys(ItemOutcome, 0)
    for item in items:
        count[item.outcome] += 1
    return replace(
        job,
        done=job.done + count[ItemOutcome.DONE],
        skipped=job.skipped + count[ItemOutcome.SKIPPED],
        failed=job.failed + count[ItemOutcome.FAILED],
    )
