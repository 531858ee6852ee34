"""A deployment to measure: an embedded server of its own, AOF with fsync on every write, and the real programs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from redis.asyncio import Redis

from bench.plan import CONCURRENCY, LEASE_S, Plan
from bench.rig.drain import Drain, watch
from bench.rig.traffic import define, fill
from dispatcher.cli.bench.children import Child, ChildFailed, program
from dispatcher.cli.bench.private import settings_of
from dispatcher.cli.bench.sink_client import Sink
from dispatcher.embedded import EmbeddedServer
from dispatcher.settings import Settings
from dispatcher.store.health.meta import claim_meta
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.connection import connect
from dispatcher.store.secrets.sealing import Sealer, new_key

PARTITIONS: int = Settings.model_fields["partitions"].default
RETENTION_MS = 86_400_000
SETTLED_WITHIN_S = 60.0
FIRST_EVENTS = 1000
TERMINAL = "terminal:SUCCEEDED"


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that all measurements share."""

    plan: Plan
    folder: Path
    sink: Sink


@dataclass(frozen=True, slots=True)
class Deployment:
    """One store and what runs on it. ``worker`` None until one is started."""

    folder: Path
    server: EmbeddedServer
    redis: Redis
    queue: QueueStore
    sealer: Sealer
    settings: dict[str, str]
    worker: Child | None = None

    @property
    def pids(self) -> dict[str, int]:
        pids = {"redis": self.server.pid or 0}
        return pids | {"worker": self.worker.pid} if self.worker else pids

    async def delivered(self) -> int:
        """Events settled as delivered since the store was made."""
        return (await self.queue.counters()).get(TERMINAL, 0)

    async def until_settled(self, expected: int) -> None:
        deadline_s = time.monotonic() + SETTLED_WITHIN_S
        while (count := await self.delivered()) < expected:
            if time.monotonic() > deadline_s:
                raise ChildFailed(f"only {count} of {expected} events were settled")
            await asyncio.sleep(0.05)

    async def drain(
        self, sink: Sink, count: int, integrations: int, accounts: int | None = None, begin: float = 0.15
    ) -> Drain:
        """Fill while the worker is held still, let it go, watch; it is held still again at the end."""
        assert self.worker is not None
        self.worker.hold()
        before = await self.delivered()
        await fill(self.queue, count, integrations, accounts)
        await sink.reset()
        self.worker.go_on()
        drained = await watch(sink, count, self.pids, begin=begin)
        await self.until_settled(before + count)
        self.worker.hold()
        return drained


@asynccontextmanager
async def deployment(partitions: int = PARTITIONS) -> AsyncIterator[Deployment]:
    """An empty store, thrown away afterwards."""
    key = new_key()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        async with EmbeddedServer.start(Path(name) / "data") as server, connect(server.url) as redis:
            await claim_meta(redis, partitions)
            queue = QueueStore(redis, partitions=partitions, retention_ms=RETENTION_MS)
            settings = _settings(server.url, key) | {"DISPATCHER_PARTITIONS": str(partitions)}
            yield Deployment(Path(name), server, redis, queue, Sealer([key]), settings)


@asynccontextmanager
async def working_deployment(
    setup: Setup, integrations: int, *, backlog: int = 0, run: int = 1
) -> AsyncIterator[Deployment]:
    """With integrations and one worker process that has delivered to each of them, held still.

    ``run``: events of one account that the worker takes together.
    """
    async with deployment() as made:
        await define(made.redis, made.sealer, integrations, setup.sink.url)
        first = max(integrations, FIRST_EVENTS)
        await fill(made.queue, first + backlog, integrations)
        settings = made.settings | {"DISPATCHER_RUN": str(run)}
        async with program(made.folder, ["dispatcher.cli.one_worker"], settings) as child:
            await child.said("(worker started)")
            await made.until_settled(first)
            child.hold()
            yield replace(made, worker=child)


@asynccontextmanager
async def api(made: Deployment) -> AsyncIterator[tuple[Child, str]]:
    """``dispatcher serve``, and its address."""
    async with program(made.folder, ["dispatcher.cli.main", "serve"], made.settings) as child:
        yield child, await child.said(r'"event":"listening","address":"([^"]+)"')


def _settings(redis_url: str, key: str) -> dict[str, str]:
    return settings_of(redis_url, key) | {
        "DISPATCHER_CONCURRENCY": str(CONCURRENCY),
        "DISPATCHER_LEASE": str(LEASE_S),
    }
