"""The owner: one loop for all partitions of this process. claim → deliver → settle, in shared round trips.

Invariants
* An event that is in `flight` under our generation is in exactly one of: `running`, `outcomes`, a settle on its way.
* Nothing is claimed without a free place to run it, and nothing is claimed by a partition that leaves.
* No attempt begins under a lease that has run out, unless Redis takes as long for every reply.
* After a lost reply the store is asked (`own` with what we hold) before the partition is claimed from again, and the
  generation is renewed: the request that got no reply may still arrive, and must change nothing then.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog

from dispatcher.clock import StoreClock, steady_clock
from dispatcher.errors import StoreUnavailable
from dispatcher.store.queue.codec import read_claim
from dispatcher.store.queue.partition import LEASE_LEFT, Claimed, Handle, Move, PartitionStore, Settlement
from worker.partition.allocation import Ask, asks
from worker.partition.launcher import AT_ONCE, Starting
from worker.partition.owned_partition import Batch, Holding
from worker.partition.runner import Runner
from worker.partition.slow_attempts import LONG_S, Stragglers

GATHER_S = 0.002
BUSY_GATHERS = 4
"""Rounds begin so far apart at least; with every place taken, as many times that lie between them."""
SICK_S = 1.0
"""A partition on whose keys a script broke off is left alone for this long."""
IDLE_S = 1.0
"""An idle owner asks this often even if no nudge came."""

log = structlog.get_logger("owner")


class Owner:
    """Owns partitions by lease and generation, and drains them."""

    def __init__(
        self,
        worker_id: str,
        store: PartitionStore,
        runner: Runner,
        clock: StoreClock,
        *,
        concurrency: int,
        lent: int,
        lease_s: float,
    ) -> None:
        """``lent``: attempts at most that run beyond ``concurrency`` while as many wait for hosts that are slow."""
        self.worker_id = worker_id
        self.holdings: dict[int, Holding] = {}
        self._store = store
        self._runner = runner
        self._concurrency = concurrency
        self._stragglers = Stragglers(lent)
        self._lease_s = lease_s
        self._sure_s = lease_s * LEASE_LEFT
        self._late_replies = 0
        self._portion = max(1, concurrency // 2)
        self._starting = Starting(self._begin)
        self._wake = asyncio.Event()
        self._clock = clock
        self._now = steady_clock  # the loop's own time stands still while the process does

    @property
    def in_flight(self) -> int:
        return sum(len(holding.running) for holding in self.holdings.values())

    @property
    def _ended(self) -> int:
        return sum(len(holding.outcomes) for holding in self.holdings.values())

    @property
    def _unsettled(self) -> int:
        return self.in_flight + self._ended

    async def drain(self, partition: int, generation: int) -> None:
        """Take a granted partition up, to be owned until it is let go or lost."""
        asked_at = self._now()
        if partition in self.holdings or not await self._store.own(partition, generation, self.worker_id):
            return
        self.holdings[partition] = Holding(partition, generation, asked_at)
        self._wake.set()

    def nudge(self, partition: int | None = None) -> None:
        """There is new work in a partition (None: perhaps in any)."""
        for number, holding in self.holdings.items():
            if partition is None or number == partition:
                holding.hungry = True
        self._wake.set()

    def count(self, name: str) -> None:
        """Add one to a fleet-wide counter, with the next settle of any partition."""
        for holding in self.holdings.values():
            holding.count(name)
            return

    def leave(self, partition: int) -> asyncio.Event:
        """Claim no more of a partition and rest it when nothing of it runs. The event tells when that is done."""
        holding = self.holdings[partition]
        holding.leaving = True
        self._wake.set()
        return holding.closed

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. Survives a store that goes away; never survives a programming error silently."""
        pause_s = 0.05
        while not stop.is_set():
            begun = self._now()
            try:
                worked = await self._round()
                pause_s = 0.05
            except StoreUnavailable as error:
                log.warning("store unavailable", error=str(error), retry_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 1.0)
                continue
            if not worked:
                await self._sleep()
            elif len(self._starting) < AT_ONCE or self._free() < self._portion:
                await self._gather(begun)

    async def stop(self, within_s: float) -> None:
        """Let running attempts end, settle them, rest every partition. What still runs then is given back."""
        deadline = self._now() + within_s
        for holding in self.holdings.values():
            holding.leaving = True
        while self._unsettled and self._now() < deadline:
            self._wake.clear()
            with contextlib.suppress(StoreUnavailable):
                await self._round()
            if not self._unsettled:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(0.2, max(0.01, deadline - self._now()))):
                    await self._wake.wait()
        self._starting.clear()
        for holding in list(self.holdings.values()):
            await asyncio.gather(*holding.cancel(), return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self._round()
            for holding in list(self.holdings.values()):
                await self._store.rest(holding.partition, holding.generation)
        for holding in list(self.holdings.values()):
            self._drop(holding)

    async def _sleep(self) -> None:
        now = self._now()
        free = self._free() > 0
        self._wake.clear()
        if any(h.ready(now, free) for h in self.holdings.values()):
            return
        due = [at - now for h in self.holdings.values() if (at := h.wakes_at(free)) is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min([*due, IDLE_S if free else LONG_S, self._lease_s / 4])):
                await self._wake.wait()

    async def _gather(self, begun: float) -> None:
        """Until half of what runs has ended, but not for long: Redis settles many outcomes for the price of a few."""
        await asyncio.sleep(max(0.0, GATHER_S - (self._now() - begun)))
        for _ in range(min(BUSY_GATHERS, BUSY_GATHERS * self.in_flight // self._concurrency)):
            if self._ended >= self.in_flight:
                return
            await asyncio.sleep(GATHER_S)

    def _free(self) -> int:
        free = self._concurrency - self.in_flight
        if free > self._concurrency // 4:
            return free
        return free + self._stragglers.lent(self._now(), self._running)

    def _running(self) -> set[Handle]:
        return {handle for holding in self.holdings.values() for handle, task in holding.running.items() if task}

    async def _round(self) -> bool:
        """One round trip for all partitions. True when there was something to do."""
        await self._come_back()
        await self._rest_leaving()
        settles = self._settles()
        claims = self._claims()
        calls = [self._store.settle_call(h.partition, h.generation, *batch) for h, batch in settles]
        calls += [self._store.claim_call(h.partition, h.generation, at_most) for h, at_most in claims]
        if not calls:
            return False
        asked_at = self._now()
        try:
            replies = await self._store.round_trip(calls)
        except BaseException:
            for holding, batch in settles:
                holding.put_back(batch)
            for holding in [h for h, _ in settles] + [h for h, _ in claims]:
                holding.uncertain = True
            raise
        self._late_replies = self._late_replies + 1 if self._now() - asked_at > self._sure_s else 0
        for (holding, batch), reply in zip(settles, replies, strict=False):
            if reply is None:
                self._fail(holding, batch)
            elif reply[0] != b"ok":
                self._drop(holding)
        for (holding, _), reply in zip(claims, replies[len(settles) :], strict=True):
            self._take_claim(holding, reply, asked_at)
        return bool(settles) or any(holding.hungry for holding, _ in claims)

    def _settles(self) -> list[tuple[Holding, Batch]]:
        now_ms = self._clock.now_ms()
        settles = []
        for holding in [h for h in self.holdings.values() if not h.uncertain]:
            batch = holding.take_batch(now_ms)
            if batch:
                settles.append((holding, batch))
                holding.hungry = True
        return settles

    def _claims(self) -> list[Ask]:
        """For a portion of the places at most: the next is fetched while the last one begins."""
        now = self._now()
        return asks(self.holdings.values(), min(self._portion, self._free()), now, now - self._lease_s / 4)

    def _fail(self, holding: Holding, batch: Batch | None = None) -> None:
        """A script broke off on this partition's keys: what it was to record is kept, the others go on."""
        if batch:
            holding.put_back(batch)
        holding.uncertain = True
        holding.rests_until = self._now() + SICK_S

    def _take_claim(self, holding: Holding, reply: list[Any] | None, asked_at: float) -> None:
        if reply is None:
            self._fail(holding)
            return
        claim = read_claim(reply)
        if claim is None:
            self._drop(holding)
            return
        now = self._now()
        holding.renewed_at = asked_at
        self._clock.learn(claim.now_ms, asked_at)
        holding.due_at = None if claim.next_due_ms is None else now + (claim.next_due_ms - claim.now_ms) / 1000
        holding.hungry = holding.hungry or (holding.due_at is not None and holding.due_at <= now)
        holding.outcomes += claim.unreadable
        self._starting.add(holding, claim.events)

    def _begin(self, holding: Holding, claimed: Claimed) -> None:
        redis_is_slow = self._late_replies > 1  # then nothing would ever begin; a single one is us, standing still
        if not redis_is_slow and self._now() - holding.renewed_at > self._sure_s:  # it may be another's by now
            self._keep(holding, Settlement(claimed, Move.RELEASE))
        else:
            holding.running[claimed.handle] = asyncio.create_task(self._run_one(holding, claimed))

    async def _run_one(self, holding: Holding, claimed: Claimed) -> None:
        self._keep(holding, await self._runner.run(holding, claimed))

    def _keep(self, holding: Holding, settlement: Settlement) -> None:
        holding.running.pop(settlement.claimed.handle, None)
        holding.outcomes.append(settlement)
        self._wake.set()

    async def _come_back(self) -> None:
        for holding in [h for h in self.holdings.values() if h.uncertain and h.rests_until <= self._now()]:
            holding.asked_for += 1
            part, before, ours = holding.partition, holding.generation, holding.held
            if await self._store.own(part, before, self.worker_id, ours, under=holding.asked_for):
                holding.generation = holding.asked_for
                holding.uncertain = False
                holding.hungry = True
            else:
                self._drop(holding)

    async def _rest_leaving(self) -> None:
        for holding in [h for h in self.holdings.values() if h.leaving and not h.running and not h.outcomes]:
            await self._store.rest(holding.partition, holding.generation)
            self._drop(holding)

    def _drop(self, holding: Holding) -> None:
        """The partition is another's now, or nobody's: stop what runs, its outcomes would be refused."""
        if self.holdings.get(holding.partition) is holding:
            del self.holdings[holding.partition]
        holding.cancel()
        holding.closed.set()
