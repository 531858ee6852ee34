"""Ping tests of each integration, newest first, the last ``KEPT`` of them, and how each day went. Never runs one."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from pydantic import TypeAdapter
from redis.asyncio import Redis

from dispatcher.clock import DAY_MS
from dispatcher.model.ping import PingStatus, PingTest, PingTrigger, PingVersion
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

KEPT = 50
DAYS = 90
"""Integrations whose tests are counted."""

_TEST = TypeAdapter(PingTest)
_REPLACE = script("definitions/replace_ping")


class Pings:
    """The history of ping tests."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, integration_id: str, test: PingTest) -> None:
        """Put ``test`` in front of the others."""
        name = keys.ping(integration_id)
        with guarded():
            await cast("Awaitable[int]", self._redis.lpush(name, _TEST.dump_json(test).decode()))
            await cast("Awaitable[str]", self._redis.ltrim(name, 0, KEPT - 1))

    async def replace(self, integration_id: str, test: PingTest) -> bool:
        """Write the newer state of a test, and count it in its day; False when it is no longer kept."""
        names, record = [keys.ping(integration_id), keys.ping_days(integration_id)], _TEST.dump_json(test).decode()
        day = (test.completed_ms or test.started_ms) // DAY_MS
        call = _REPLACE.call(names, test.id, record, _counted_in(test, day), day - DAYS + 1)
        return bool(await reply_of(self._redis, call) == 1)

    async def days(self, integration_id: str) -> dict[int, tuple[int, int]]:
        """Tests that passed and that failed, by days since 1970 (UTC). A day without any is left out."""
        with guarded():
            stored = await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(keys.ping_days(integration_id)))
        counts = {field.decode(): int(count) for field, count in stored.items()}
        return {day: (counts.get(f"{day}p", 0), counts.get(f"{day}f", 0)) for day in {int(one[:-1]) for one in counts}}

    async def find(self, integration_id: str, test_id: str) -> PingTest | None:
        """The test of that id, while it is kept."""
        return next((one for one in await self.history(integration_id) if one.id == test_id), None)

    async def last(self, integration_id: str) -> PingTest | None:
        """The newest test."""
        tests = await self.history(integration_id, 1)
        return tests[0] if tests else None

    async def history(self, integration_id: str, limit: int = KEPT) -> list[PingTest]:
        """Newest first."""
        with guarded():
            stored = await cast(
                "Awaitable[list[bytes]]", self._redis.lrange(keys.ping(integration_id), 0, max(limit, 1) - 1)
            )
        return [_TEST.validate_json(one) for one in stored]


def _counted_in(test: PingTest, day: int) -> str:
    """Its field of the day: of what is published, or pinged by itself. Drafts that people try out count nowhere."""
    if test.version is not PingVersion.PUBLISHED and test.trigger is not PingTrigger.SCHEDULE:
        return ""
    return {PingStatus.PASSED: f"{day}p", PingStatus.FAILED: f"{day}f"}.get(test.status, "")
