"""Measures now and then how full Redis is, so that accepting can stop while workers still have room to write.

Never asks per request, and never frees anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import RedisCluster
from redis.exceptions import ResponseError

from dispatcher.errors import StoreUnusable
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

EVERY_S = 0.5
CALM_S = 1.0
FAR_BYTES = 1 << 30
"""With no limit, or with so much left until the mark, it is measured every ``CALM_S``: nothing writes faster."""
LEAST_S = 0.02
HALVED_AFTER_S = 0.5
"""Growth once seen is believed for a while: buffers that are given back hide what is written at the same time."""
BELOW = 0.02
"""Accepting begins again this far below the mark, so that it does not flap around it."""

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory that counts towards ``maxmemory``; ``limit_bytes`` 0 = no limit is set."""

    used_bytes: int = 0
    limit_bytes: int = 0

    @property
    def ratio(self) -> float:
        """0.0 without a limit."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Memory:
        """From ``INFO memory``. Buffers of replicas and of the append-only file do not count towards the limit."""
        used_bytes = int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0))
        return cls(used_bytes, int(info.get("maxmemory", 0)))


class Pressure:
    """One per process. ``full`` from ``high_water``, a share of ``maxmemory``, on; 0 = never. A cluster is as full as
    its fullest node.
    """

    def __init__(self, client: Client, high_water: float) -> None:
        self._client = client
        self._high_water = high_water
        self._readable = True
        self._measured_s = time.monotonic()
        self.memory = Memory()
        self.growth_bytes_per_s = 0.0
        self.full = False

    async def measure(self) -> None:
        """One round trip. Raises ``StoreUnavailable``."""
        if not self._readable:
            return
        try:
            with guarded():
                self._learn(max(map(Memory.of, await self._infos()), key=lambda memory: memory.ratio))
        except (ResponseError, StoreUnusable) as error:
            if not isinstance(error.__cause__ or error, ResponseError):  # a wrong password, say: it may be put right
                raise
            self._readable = False  # an ACL without INFO
            log.warning("memory cannot be watched", reason=str(error), advice="allow this user the command INFO")
            return
        self._judge()

    def pause_s(self) -> float:
        """Time until the next measurement: a quarter of what is left until the mark, at the present growth."""
        left_bytes = self.memory.limit_bytes * self._high_water - self.memory.used_bytes
        longest_s = CALM_S if left_bytes > FAR_BYTES or not self.memory.limit_bytes else EVERY_S
        if self.full or left_bytes <= 0 or self.growth_bytes_per_s <= 0:
            return longest_s
        return min(longest_s, max(LEAST_S, left_bytes / self.growth_bytes_per_s / 4))

    def _learn(self, memory: Memory) -> None:
        now_s = time.monotonic()
        grown_bytes = memory.used_bytes - self.memory.used_bytes if self.memory.used_bytes else 0
        passed_s = max(now_s - self._measured_s, LEAST_S)
        remembered = self.growth_bytes_per_s * 0.5 ** (passed_s / HALVED_AFTER_S)
        self.growth_bytes_per_s = max(grown_bytes / passed_s, remembered)
        self.memory, self._measured_s = memory, now_s

    async def _infos(self) -> Iterable[Mapping[str, Any]]:
        if not isinstance(self._client, RedisCluster):
            return [await self._client.info("memory")]
        info: dict[str, Any] = await self._client.info("memory", target_nodes=RedisCluster.PRIMARIES)
        return [info] if "used_memory" in info else info.values()

    def _judge(self) -> None:
        mark = self._high_water - BELOW if self.full else self._high_water
        full = bool(self._high_water) and self.memory.ratio >= mark
        if full is self.full:
            return
        self.full = full
        facts = {"used_bytes": self.memory.used_bytes, "maxmemory_bytes": self.memory.limit_bytes}
        if full:
            advice = "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS"
            log.warning("store nearly full: nothing more is accepted", **facts, advice=advice)
        else:
            log.warning("store has room again: events are accepted", **facts)
