"""The faults of a soak, each of which begins, lasts and is put right by itself. Judges nothing."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dispatcher.store.keys import deployment as keys
from tests.faults.deployment import LEASE_S, Deployment, eventually
from tests.faults.processes import Watched
from tests.faults.proxy import Proxy

WORKERS = 2
LOADED_WITHIN_S = 600.0
"""A day's events are a long file to load."""


@dataclass(slots=True)
class Scene:
    """Targets of faults. The workers' and the API's links to Redis go through ``proxy``."""

    deployment: Deployment
    proxy: Proxy
    chance: random.Random
    api_port: int
    workers: list[Watched] = field(default_factory=list)
    api: Watched | None = None

    async def staff(self) -> None:
        """As many workers and APIs as there should be."""
        self.workers = [worker for worker in self.workers if worker.alive]
        while len(self.workers) < WORKERS:
            self.workers.append(await self.deployment.worker(self.proxy.url))
        if self.api is None or not self.api.alive:
            self.api, _ = await self.deployment.api(self.proxy.url, PORT=str(self.api_port))

    @property
    def youngest(self) -> Watched:
        """The one to kill: the others live long enough for their memory to be watched."""
        return self.workers[-1]


async def worker_killed(scene: Scene) -> None:
    scene.youngest.kill()
    await scene.staff()


async def worker_stopped(scene: Scene) -> None:
    scene.youngest.signal(signal.SIGTERM)
    await scene.youngest.ended(within_s=20)
    await scene.staff()


async def worker_frozen(scene: Scene) -> None:
    frozen = scene.chance.choice(scene.workers)
    frozen.signal(signal.SIGSTOP)
    await asyncio.sleep(3 * LEASE_S)
    frozen.signal(signal.SIGCONT)


async def workers_gone(scene: Scene) -> None:
    for worker in scene.workers:
        worker.kill()
    await asyncio.sleep(scene.chance.uniform(1, 4))
    await scene.staff()


async def api_killed(scene: Scene) -> None:
    assert scene.api is not None
    scene.api.kill()
    await scene.staff()


async def redis_killed(scene: Scene) -> None:
    scene.deployment.server.kill()
    await asyncio.sleep(scene.chance.uniform(0.2, 2))
    scene.deployment.server.start(wait=False)
    await eventually(scene.deployment.queue.take_writes, within_s=LOADED_WITHIN_S)


async def redis_frozen(scene: Scene) -> None:
    scene.deployment.server.signal(signal.SIGSTOP)
    await asyncio.sleep(scene.chance.uniform(1, 7))
    scene.deployment.server.signal(signal.SIGCONT)


async def clients_cut(scene: Scene) -> None:
    for kind in ("normal", "pubsub"):
        await scene.deployment.redis.client_kill_filter(_type=kind, skipme=True)


async def scripts_flushed(scene: Scene) -> None:
    await scene.deployment.redis.script_flush()
    await scene.deployment.redis.function_flush("SYNC")  # type: ignore[misc]


async def jobs_deleted(scene: Scene) -> None:
    await scene.deployment.redis.delete(keys.JOBS)
    async for name in scene.deployment.redis.scan_iter("arq:*"):
        await scene.deployment.redis.delete(name)


async def links_cut(scene: Scene) -> None:
    scene.proxy.cut_all()


async def links_late(scene: Scene) -> None:
    scene.proxy.reply_delay_s = scene.chance.choice([0.2, 1.0, 4.9, 5.1])
    await asyncio.sleep(scene.chance.uniform(2, 7))
    scene.proxy.reply_delay_s = 0.0


async def links_slow(scene: Scene) -> None:
    scene.proxy.bytes_per_s = 20_000
    await asyncio.sleep(scene.chance.uniform(2, 7))
    scene.proxy.bytes_per_s = 0


async def links_half_open(scene: Scene) -> None:
    scene.proxy.lose_packets()


FAULTS: dict[str, tuple[Callable[[Scene], Awaitable[None]], float]] = {
    "FT1 worker killed": (worker_killed, 10),
    "FT3 worker stopped": (worker_stopped, 10),
    "FT5 worker frozen": (worker_frozen, 10),
    "FT6 workers gone": (workers_gone, 10),
    "FT7 API killed": (api_killed, 10),
    "FT8 Redis killed": (redis_killed, 10),
    "FT10 Redis frozen": (redis_frozen, 10),
    "FT11 clients cut": (clients_cut, 10),
    "FT12 links cut": (links_cut, 10),
    "FT14 links late": (links_late, 10),
    "FT15 links half open": (links_half_open, 22),
    "FT16 links slow": (links_slow, 10),
    "FT26 jobs deleted": (jobs_deleted, 10),
    "FT27 scripts flushed": (scripts_flushed, 10),
}
"""The fault, and within how many seconds of its end every account gets a new event through."""
