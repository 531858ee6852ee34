"""Ping tests of each integration, newest first, the last ``KEPT`` of them. Never runs one."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from pydantic import TypeAdapter
from redis.asyncio import Redis

from dispatcher.model.ping import PingTest
from dispatcher.store import keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

KEPT = 50

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
        """Write the newer state of a test; False when it is no longer kept."""
        name, record = keys.ping(integration_id), _TEST.dump_json(test).decode()
        return bool(await reply_of(self._redis, _REPLACE.call([name], test.id, record)) == 1)

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
