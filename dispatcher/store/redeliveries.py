"""Bulk redeliveries: what was asked for and how far it is. Never redelivers.

| key                    | type   | holds                                                         | until           |
|------------------------|--------|---------------------------------------------------------------|-----------------|
| ``redelivery:ID``      | hash   | state, total, done, skipped, cursor, condition (JSON)         | 7 days          |
| ``redelivery:ID:run``  | string | the process that works on it                                  | 15 s, renewed   |
| ``redeliveries``       | set    | ids that are RUNNING                                          | it is empty     |
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

import orjson
from redis.asyncio import Redis

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store.connection import guarded

RUNNING_SET = "redeliveries"
KEPT_S = 7 * 86_400
CLAIM_S = 15

T = TypeVar("T")


class RedeliveryState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Redelivery:
    """One bulk redelivery. ``skipped``: events that were no longer failed when their turn came."""

    id: str
    condition: EventFilter
    state: RedeliveryState = RedeliveryState.RUNNING
    total: int = 0
    done: int = 0
    skipped: int = 0
    cursor: str = ""


class RedeliveryStore:
    """Progress is written after each page, so that another process can go on where one stopped."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def save(self, job: Redelivery) -> None:
        """Write ``job`` as it is now."""
        name = _key(job.id)
        fields = {
            "state": job.state.value,
            "total": job.total,
            "done": job.done,
            "skipped": job.skipped,
            "cursor": job.cursor,
            "condition": _write(job.condition),
        }
        with guarded():
            await _typed(int, self._redis.hset(name, mapping=fields))
            await self._redis.expire(name, KEPT_S)
            change = self._redis.sadd if job.state is RedeliveryState.RUNNING else self._redis.srem
            await _typed(int, change(RUNNING_SET, job.id))

    async def get(self, job_id: str) -> Redelivery | None:
        with guarded():
            stored = await _typed(dict[bytes, bytes], self._redis.hgetall(_key(job_id)))
        if not stored:
            return None
        return Redelivery(
            id=job_id,
            condition=_read(stored[b"condition"]),
            state=RedeliveryState(stored[b"state"].decode()),
            total=int(stored[b"total"]),
            done=int(stored[b"done"]),
            skipped=int(stored[b"skipped"]),
            cursor=stored[b"cursor"].decode(),
        )

    async def running(self) -> list[str]:
        """Ids of all that are not finished."""
        with guarded():
            members = await _typed(set[bytes], self._redis.smembers(RUNNING_SET))
        return sorted(member.decode() for member in members)

    async def claim(self, job_id: str, owner: str) -> bool:
        """Take a job for ``CLAIM_S`` seconds unless another process has it; one's own claim is renewed."""
        name = f"{_key(job_id)}:run"
        with guarded():
            if await self._redis.set(name, owner, nx=True, ex=CLAIM_S):
                return True
            if await self._redis.get(name) != owner.encode():
                return False
            return bool(await self._redis.expire(name, CLAIM_S))

    async def release(self, job_id: str) -> None:
        with guarded():
            await self._redis.delete(f"{_key(job_id)}:run")

    async def forget(self, job_id: str) -> None:
        """Take an id off the list whose record is gone."""
        with guarded():
            await _typed(int, self._redis.srem(RUNNING_SET, job_id))


def _key(job_id: str) -> str:
    return f"redelivery:{job_id}"


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
