"""Bulk redeliveries: condition, progress, and who works on each. Never redelivers."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

import orjson
from redis.asyncio import Redis

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store import keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, reply_of, script

KEPT_S = 7 * 86_400
CLAIM_S = 15

T = TypeVar("T")

_SAVE = script("queue/save_redelivery")


class RedeliveryState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Redelivery:
    """One bulk redelivery. ``skipped``: events that were no longer failed when their turn came.

    ``listed``: every event that meets the condition was found; the oldest are handled first.
    """

    id: str
    condition: EventFilter
    state: RedeliveryState = RedeliveryState.RUNNING
    total: int = 0
    done: int = 0
    skipped: int = 0
    cursor: str = ""
    listed: bool = False
    client_id: str = ""
    """Who asked for it, and has to keep the right to it; empty for jobs of versions that did not note it."""


class RedeliveryStore:
    """Progress is written after each page, so that another process can go on where one stopped."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def save(self, job: Redelivery) -> None:
        """Write ``job`` as it is now, and whether it runs, in one step."""
        fields: dict[str, Argument] = {
            "total": job.total,
            "done": job.done,
            "skipped": job.skipped,
            "cursor": job.cursor,
            "listed": int(job.listed),
            "condition": _write(job.condition),
            "client": job.client_id,
        }
        written = [part for field in fields.items() for part in field]
        names = [keys.redelivery(job.id), keys.REDELIVERIES]
        await reply_of(self._redis, _SAVE.call(names, job.id, job.state.value, KEPT_S, *written))

    async def get(self, job_id: str) -> Redelivery | None:
        with guarded():
            stored = await _typed(dict[bytes, bytes], self._redis.hgetall(keys.redelivery(job_id)))
        if not stored:
            return None
        return Redelivery(
            id=job_id,
            condition=_read(stored[b"condition"]),
            client_id=stored.get(b"client", b"").decode(),
            state=RedeliveryState(stored[b"state"].decode()),
            total=int(stored[b"total"]),
            done=int(stored[b"done"]),
            skipped=int(stored[b"skipped"]),
            cursor=stored[b"cursor"].decode(),
            listed=stored.get(b"listed") == b"1",
        )

    async def found(self, job_id: str, event_ids: Sequence[str]) -> None:
        """Keep a page of ids, newest first, behind those of the pages before."""
        if event_ids:
            name = keys.redelivery_ids(job_id)
            with guarded():
                await _typed(int, self._redis.rpush(name, *event_ids))
                await self._redis.expire(name, KEPT_S)

    async def oldest(self, job_id: str, how_many: int) -> list[str]:
        """The oldest ids that are left, oldest first."""
        with guarded():
            ids = await _typed(list[bytes], self._redis.lrange(keys.redelivery_ids(job_id), -how_many, -1))
        return [event_id.decode() for event_id in reversed(ids)]

    async def drop_oldest(self, job_id: str, how_many: int) -> None:
        """These were handled. A process that ends before leaves them to be handled again, which changes nothing."""
        with guarded():
            await _typed(str, self._redis.ltrim(keys.redelivery_ids(job_id), 0, -how_many - 1))

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


def _typed(kind: type[T], reply: object) -> Awaitable[T]:
    return cast("Awaitable[T]", reply)


def _write(condition: EventFilter) -> bytes:
    return orjson.dumps(
        {
            "statuses": sorted(condition.statuses),
            "types": sorted(condition.types),
            "product_id": condition.product_id,
            "account_id": condition.account_id,
            "integration_id": condition.integration_id,
            "from_ms": condition.from_ms,
            "to_ms": condition.to_ms,
            "vendor_id": condition.vendor_id,
        }
    )


def _read(stored: bytes) -> EventFilter:
    record: dict[str, Any] = orjson.loads(stored)
    statuses = frozenset(Status(name) for name in record.pop("statuses"))
    types = frozenset(EventType(name) for name in record.pop("types"))
    return EventFilter(statuses, types, **record)
