"""A running API whose workers are a test's hands. Holds no test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from dispatcher.api.watch.verdict import VERDICT, VerdictWatch
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.queue.owning.claims import LaneSetting, Settlement
from dispatcher.store.redis.server_time import server_now_ms
from tests.api.conftest import Api
from tests.events import event_of
from tests.hand_worker import HandWorker

PARTITIONS = 4
URL = "https://host.example/hook"


@dataclass
class Ward:
    """A running API whose workers are a test's hands."""

    api: Api
    lane: str
    worker: HandWorker

    @property
    def home(self) -> int:
        return self.api.services.queue.partition_of(self.lane)

    @property
    def redis(self) -> Redis:
        return self.api.redis

    @property
    def watch(self) -> VerdictWatch:
        assert self.api.http.server is not None
        return self.api.http.server.app[VERDICT]  # type: ignore[attr-defined, no-any-return]

    async def now(self) -> int:
        return await server_now_ms(self.redis)

    async def judged(self) -> Any:
        """The verdict on this moment."""
        await self.watch.evaluation.judge(out_of_turn=True)
        return await self.api.json("GET", "/v1/status", 200)

    async def named(self, kind: str) -> Any:
        """The problem of this kind."""
        found = [one for one in (await self.judged())["problems"] if one["kind"] == kind]
        assert len(found) == 1, found
        return found[0]

    async def kinds(self) -> set[str]:
        return {one["kind"] for one in (await self.judged())["problems"]}

    async def tries(self, outcome: Outcome, to: Status, times: int = 1, error: str | None = None) -> None:
        events = [event_of(self.lane, PARTITIONS, None) for _ in range(times)]
        await self.api.services.queue.accept(events)
        if self.home not in self.worker.generations:
            await self.worker.own(self.home)
        status = 500 if outcome is Outcome.HTTP_ERROR else None
        attempt = Attempt(1, 1, 1.0, URL, outcome, status)
        settlements = [
            Settlement(one, to, 3_600_000, attempt, "TRANSPORT_ERROR" if error else None, error)
            for one in (await self.worker.claim(self.home, 1000)).events
        ]
        await self.worker.settle(self.home, settlements)

    async def lane_says(self, **fields: int) -> None:
        if self.home not in self.worker.generations:
            await self.worker.own(self.home)
        await self.worker.settle(self.home, [], [LaneSetting(self.lane, name, value) for name, value in fields.items()])

    async def works(self) -> None:
        """A worker is heard of, and owns every partition."""
        now_ms = await self.now()
        await self.redis.zadd(deployment_keys.WORKERS, {"w1": now_ms})
        for partition in range(PARTITIONS):
            if partition not in self.worker.generations:
                await self.worker.own(partition)
