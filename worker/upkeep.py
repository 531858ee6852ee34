"""Upkeep, about once a second: heartbeat, partitions without an owner, fair shares, overdue results, repairs.

Runs in every worker; each step is safe to run in several at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time

import orjson
import structlog

from dispatcher.clock import Clock
from dispatcher.errors import StoreUnavailable
from dispatcher.flow.events.conclude import Conclusions
from dispatcher.store.health.heartbeats import Heartbeats
from dispatcher.store.jobs import JobQueue
from dispatcher.store.queue.partition import MEND_START, PartitionStore, Place
from dispatcher.store.redis.server_time import ServerTime
from worker.partition.owner import Owner

EVERY_S = 1.0
GRANT_MS = 2000
"""How long a granted partition may wait for a worker before it is granted anew."""
LET_GO_AT_ONCE = 4
OFFERED_TIMES = 4
TIDY_EVERY_S = 30.0
"""Between trims of logs and recounts of lanes."""
MEND_IDLE = 500
"""Open events, and as many entries of the log, that are checked of each partition at a time."""
MEND_BUSY = 256
"""The same, of all partitions together, while attempts run: Redis is for delivering then."""

log = structlog.get_logger("upkeep")


class Upkeep:
    """One per worker process."""

    def __init__(
        self,
        owner: Owner,
        store: PartitionStore,
        jobs: JobQueue,
        beats: Heartbeats,
        conclusions: Conclusions,
        clock: Clock,
        time_of_store: ServerTime,
    ) -> None:
        self._owner = owner
        self._store = store
        self._jobs = jobs
        self._beats = beats
        self._conclusions = conclusions
        self._clock = clock
        self._time = time_of_store
        self._mending: dict[int, Place] = {}
        self._offered: dict[int, tuple[int, int]] = {}
        self._tidied_at = 0.0
        self.share = store.partitions
        """Partitions that this process should own at most."""

    async def once(self) -> None:
        """One pass of everything."""
        await self._time.measure()  # pings are signed also where nothing is owned
        await self._beat()
        await self.hand_out()
        await self._give_up_surplus()
        mine = list(self._owner.holdings)
        if not mine:
            return
        now_ms = self._clock.now_ms()
        for event_id in await self._store.overdue_results(mine, now_ms):
            await self._conclusions.expire(event_id)
        await self._mend(mine)
        if time.monotonic() - self._tidied_at > TIDY_EVERY_S:
            self._tidied_at = time.monotonic()
            await self._tidy(mine, now_ms)

    async def _beat(self) -> None:
        info = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "partitions": sorted(self._owner.holdings),
            "inFlight": self._owner.in_flight,
        }
        alive = await self._beats.beat(self._owner.worker_id, orjson.dumps(info))
        self.share = -(-self._store.partitions // max(1, alive))

    async def hand_out(self) -> None:
        """Offer every partition without an owner to whoever has room."""
        for partition, before in (await self._store.unowned()).items():
            if partition in self._owner.holdings or await self._still_offered(partition, before):
                continue  # ours, and renewed with the next claim; or there for whoever has room
            generation = await self._store.grant(partition, GRANT_MS)
            if generation:
                await self._offer(partition, generation)

    async def _offer(self, partition: int, generation: int) -> None:
        """As a job; where the queue takes none, as when Redis is full, this worker keeps what it has room for."""
        try:
            await self._jobs.drain(partition, generation)
        except StoreUnavailable:
            if len(self._owner.holdings) >= self.share:
                raise
            await self._owner.drain(partition, generation)

    async def _still_offered(self, partition: int, generation: int) -> bool:
        """A job that nobody takes is waited for a few times only: whoever began it may be dead."""
        if not generation or not await self._jobs.offers(partition, generation):
            self._offered.pop(partition, None)
            return False
        seen, times = self._offered.get(partition, (generation, 0))
        self._offered[partition] = (generation, times + 1 if seen == generation else 1)
        return self._offered[partition][1] < OFFERED_TIMES

    async def _give_up_surplus(self) -> None:
        """Let a few partitions a second go to workers that have fewer, and hand them out at once."""
        mine = sorted(p for p, holding in self._owner.holdings.items() if not holding.leaving)
        leaving = [self._owner.leave(p) for p in mine[self.share :][:LET_GO_AT_ONCE]]
        if not leaving:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await asyncio.gather(*(closed.wait() for closed in leaving))
        await self.hand_out()

    async def _tidy(self, mine: list[int], now_ms: int) -> None:
        for partition in mine:
            await self._store.trim(partition, now_ms)
        for partition, repairs in (await self._store.recount(mine)).items():
            self._repaired(partition, repairs)

    async def _mend(self, mine: list[int]) -> None:
        at = {partition: self._mending.get(partition, MEND_START) for partition in mine}
        how_many = -(-MEND_BUSY // len(mine)) if self._owner.in_flight else MEND_IDLE
        for partition, (place, repairs) in (await self._store.mend(at, how_many)).items():
            self._mending[partition] = place
            if repairs:
                self._repaired(partition, repairs)

    def _repaired(self, partition: int, repairs: int) -> None:
        log.warning("repaired", partition=partition, repairs=repairs)
        self._owner.nudge(partition)
