"""Memory of processes and of Redis while a soak runs. Judges nothing."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from dispatcher.errors import StoreUnavailable
from tests.faults.soak_faults import Scene

EVERY_S = 2.0
WARM_UP_S = 45.0
LONG_ENOUGH_S = 120.0


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one process: medians of the first and last third after its warm-up."""

    process: str
    lived_s: float
    early_bytes: float
    late_bytes: float

    @property
    def part(self) -> float:
        return self.late_bytes / self.early_bytes - 1


@dataclass(slots=True)
class Samples:
    """By process: seconds and bytes; of Redis: how many events it has, and its bytes."""

    rss: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    redis: list[tuple[int, int]] = field(default_factory=list)

    async def run(self, scene: Scene) -> None:
        """Samples until cancelled; what is away just then is left out. The host's requests are forgotten meanwhile."""
        while True:
            scene.deployment.host.requests.clear()
            for program in [*scene.workers, *([scene.api] if scene.api else [])]:
                with contextlib.suppress(OSError):
                    if size := program.rss_bytes:
                        name = f"{program.log.name.partition('-')[0]} {program.pid}"
                        self.rss.setdefault(name, []).append((time.monotonic(), size))
            with contextlib.suppress(RedisError, StoreUnavailable, OSError, TimeoutError):
                memory = await scene.deployment.redis.info("memory")
                counted = await scene.deployment.queue.counters()
                self.redis.append((counted.get("accepted", 0), int(memory["used_memory"])))
            await asyncio.sleep(EVERY_S)

    def growths(self) -> list[Growth]:
        """Of every process that lived long enough to tell."""
        found = []
        for process, seen in self.rss.items():
            lived_s = seen[-1][0] - seen[0][0]
            warm = [size for at, size in seen if at - seen[0][0] > WARM_UP_S]
            if lived_s >= LONG_ENOUGH_S:
                third = len(warm) // 3
                early, late = statistics.median(warm[:third]), statistics.median(warm[-third:])
                found.append(Growth(process, lived_s, early, late))
        return found

    def redis_bytes_per_event(self) -> tuple[float, float] | None:
        """Of the first and of the second half of the run, after a warm-up; None = too few samples."""
        half = len(self.redis) // 2
        if half < 10:
            return None
        first, middle, last = self.redis[half // 4], self.redis[half], self.redis[-1]
        if not first[0] < middle[0] < last[0]:
            return None
        return (middle[1] - first[1]) / (middle[0] - first[0]), (last[1] - middle[1]) / (last[0] - middle[0])
