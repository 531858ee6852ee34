"""Counts commands of Redis and the bytes that it says, by what the server itself counted. Holds no test."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis

_OWN = frozenset({"info", "client|setname", "client|setinfo", "hello", "select", "auth"})
"""Commands of this counting, and of connections that are made."""


@dataclass
class Commands:
    """Commands asked within ``counted``; filled when that ends."""

    calls: Counter[str] = field(default_factory=Counter)
    told_bytes: int = 0

    @property
    def total(self) -> int:
        return self.calls.total()


@asynccontextmanager
async def counted(redis: Redis) -> AsyncIterator[Commands]:
    """Everything that any client of that server does meanwhile."""
    commands = Commands()
    calls_before, told_before = await _now(redis)
    yield commands
    calls_after, told_after = await _now(redis)
    commands.calls = calls_after - calls_before
    commands.told_bytes = told_after - told_before


async def _now(redis: Redis) -> tuple[Counter[str], int]:
    stats, told = await redis.info("commandstats"), await redis.info("stats")
    calls = {name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in stats.items()}
    return Counter({name: n for name, n in calls.items() if name not in _OWN}), int(told["total_net_output_bytes"])
