"""Bulk jobs: condition, progress, results, and who works on each. Never acts on an event."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.redelivery import Item, Redelivery, RedeliveryState
from dispatcher.store.keys import deployment as keys
from dispatcher.store.queue.acting.redelivery_records import fields_of, item_of, job_of, line_of
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, reply_of, script

KEPT_S = 7 * 86_400
LISTED_MS = 30 * 86_400_000
"""Ids are listed for longer than a job is kept, which may run for days before it ends."""
CLAIM_S = 15
ITEMS_KEPT = 100_000
"""Results of one job: some 5 MB. Those of events beyond are counted only."""

_START = script("queue/start_redelivery")
_ADVANCE = script("queue/advance_redelivery")
_CANCEL = script("queue/cancel_redelivery")

T = TypeVar("T")


class RedeliveryStore:
    """Progress is written after each page, so that another process can go on where one stopped."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def start(self, job: Redelivery) -> Redelivery:
        """Write a new job down; it runs from the moment that the answer holds."""
        names = [keys.redelivery(job.id), keys.REDELIVERIES, keys.REDELIVERY_LIST]
        call = _START.call(names, job.id, KEPT_S, LISTED_MS, *_flat(job))
        return replace(job, state=RedeliveryState.RUNNING, started_ms=int(await reply_of(self._redis, call)))

    async def advance(self, job: Redelivery, found: Sequence[str] = (), items: Sequence[Item] = ()) -> RedeliveryState:
        """Write ``job`` as it is now, with events that were found (newest first) and results of the oldest ones.

        The state that it has then: one that was cancelled meanwhile stays so, and one that is gone counts as that.
        """
        names = [keys.redelivery(job.id), keys.REDELIVERIES, keys.redelivery_ids(job.id), keys.redelivery_items(job.id)]
        results = [line_of(item) for item in items]
        arguments: list[Argument] = [job.id, job.state.value, KEPT_S, len(items), ITEMS_KEPT]
        arguments += [len(found), *found, len(results), *results, *_flat(job)]
        state: bytes = await reply_of(self._redis, _ADVANCE.call(names, *arguments))
        return RedeliveryState(state.decode()) if state else RedeliveryState.CANCELLED

    async def cancel(self, job_id: str) -> bool:
        """End it; False when it had ended already."""
        names = [keys.redelivery(job_id), keys.REDELIVERIES, keys.redelivery_ids(job_id)]
        return bool(await reply_of(self._redis, _CANCEL.call(names, job_id)))

    async def get(self, job_id: str) -> Redelivery | None:
        with guarded():
            stored = await _typed(dict[bytes, bytes], self._redis.hgetall(keys.redelivery(job_id)))
        return job_of(job_id, stored) if stored else None

    async def newest(self, cursor: str | None, limit: int) -> tuple[list[Redelivery], str | None]:
        """A page of jobs, newest first, and the cursor of the next one.

        Raises ``InvalidRequest`` for a cursor that is none of ours.
        """
        with guarded():
            end: int = await self._redis.zcard(keys.REDELIVERY_LIST)
            if cursor is not None:
                rank = await self._redis.zrank(keys.REDELIVERY_LIST, cursor)
                if rank is None:
                    text = "use nextCursor of an earlier answer, unchanged"
                    raise InvalidRequest.of("invalid_cursor", text, "cursor")
                end = int(rank)
            start = max(0, end - limit)
            ids: list[bytes] = await self._redis.zrange(keys.REDELIVERY_LIST, start, end - 1) if end else []
        found = [await self.get(job_id.decode()) for job_id in reversed(ids)]
        return [job for job in found if job], ids[0].decode() if start else None

    async def items(self, job_id: str, first: int, how_many: int) -> list[Item]:
        """Results from number ``first`` (from 0) on, in the order in which events were handled."""
        with guarded():
            name = keys.redelivery_items(job_id)
            lines = await _typed(list[bytes], self._redis.lrange(name, first, first + how_many - 1))
        return [item_of(line) for line in lines]

    async def oldest(self, job_id: str, how_many: int) -> list[str]:
        """The oldest ids that are left, oldest first."""
        with guarded():
            ids = await _typed(list[bytes], self._redis.lrange(keys.redelivery_ids(job_id), -how_many, -1))
        return [event_id.decode() for event_id in reversed(ids)]

    async def running(self) -> list[str]:
        """Ids of all that are not finished."""
        with guarded():
            members = await _typed(set[bytes], self._redis.smembers(keys.REDELIVERIES))
        return sorted(member.decode() for member in members)

    async def claim(self, job_id: str, owner: str) -> bool:
        """Take a job for ``CLAIM_S`` seconds unless another process has it; one's own claim is renewed."""
        name = keys.redelivery_run(job_id)
        with guarded():
            if await self._redis.set(name, owner, nx=True, ex=CLAIM_S):
                return True
            if await self._redis.get(name) != owner.encode():
                return False
            return bool(await self._redis.expire(name, CLAIM_S))

    async def release(self, job_id: str) -> None:
        with guarded():
            await self._redis.delete(keys.redelivery_run(job_id))

    async def forget(self, job_id: str) -> None:
        """Take an id off the list whose record is gone."""
        with guarded():
            await _typed(int, self._redis.srem(keys.REDELIVERIES, job_id))


def _flat(job: Redelivery) -> list[Argument]:
    return [part for field in fields_of(job).items() for part in field]


def _typed(kind: type[T], reply: object) -> Awaitable[T]:
    return cast("Awaitable[T]", reply)
