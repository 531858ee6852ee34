"""The owner: one loop for all partitions of this process. claim → deliver → settle, in shared round trips.

Invariants
* An event that is in `flight` under our generation is in exactly one of: `running`, `outcomes`, a settle on its way.
* Nothing is claimed without a free slot to run it in, and nothing from a partition that is leaving. For what accepts
  may claim for us slots are kept free, and asked back when they are needed.
* An error of ours sets aside the partition that it was met with, for a while; the others go on.
* After a lost reply the partition is owned anew (`own`, with the claims that are worked on) before anything else, under
  a newer generation: the request that got no reply may still arrive, and must change nothing then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import structlog

from dispatcher.clock import StoreClock
from dispatcher.errors import StoreUnavailable
from dispatcher.periodic import until_next
from dispatcher.policy.pace.places import ALL_BYTES, LONG_S, Places
from dispatcher.policy.pace.unasked import share
from dispatcher.store.queue.owning.claims import Claim, Claimed
from dispatcher.store.queue.owning.codec import Given, read_claim
from dispatcher.store.queue.owning.partition import LEASE_LEFT, PartitionStore
from dispatcher.store.queue.records import text
from dispatcher.store.redis.scripts import Call
from worker.partition.beside import Beside, Part, Settle
from worker.partition.holdings import Holdings
from worker.partition.launcher import AT_ONCE, Attempts, Launcher
from worker.partition.owned_partition import Allotment, Batch, OwnedPartition, allot, ended_in, room_bytes, running_in
from worker.partition.pauses import FEW, FIRST_PAUSE_S, IDLE_S, LONGEST_PAUSE_S, gather
from worker.partition.run import RUN_S, Run
from worker.partition.runner import Runner

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
        places: Places,
        lease_s: float,
    ) -> None:
        """``concurrency``: attempts at a time, beside those that wait for slow hosts and lend their ``places``."""
        self.worker_id = worker_id
        self._holdings = Holdings(worker_id, store, clock.steady)
        self._store, self._runner = store, runner
        self._places, self._lease_s = places, lease_s
        self._concurrency, self._portion = concurrency, max(1, concurrency // 2)
        self._wake = asyncio.Event()
        broken, safe_s = self._holdings.set_aside, lease_s * LEASE_LEFT
        self._run_ended = asyncio.Event()
        self._attempts = Attempts(runner.run, broken, self._wake.set, self._end_run, clock.steady, safe_s)
        self._launcher = Launcher(self._begin, broken)
        self._beside = Beside(self._holdings, self._wake.set)
        self._clock, self._now = clock, clock.steady  # the loop's own time stands still while the process does

    @property
    def partitions(self) -> dict[int, OwnedPartition]:
        """All that this process owns, by number."""
        return self._holdings.partitions

    @property
    def in_flight(self) -> int:
        return running_in(self.partitions.values())

    async def take(self, granted: Mapping[int, int]) -> None:
        """Take over partitions, each by the generation that was granted, until it is released or lost."""
        await self._holdings.take(granted)
        self._wake.set()

    def nudge(self, partition: int | None = None) -> None:
        """Expect new work in a partition, or with None in any."""
        self._holdings.expect_work(partition)
        self._wake.set()

    def take_given(self, given: Given) -> None:
        """Begin what an accept claimed for us, unless it goes back."""
        owned = self.partitions.get(given.partition)
        if owned is None or not owned.takes(given.generation):
            return
        try:
            claim = given.claim(room_bytes(self.partitions.values()))
            owned.note_given(claim, self._now())
            self._begin_all(owned, claim)
        except Exception as error:
            self._holdings.set_aside(owned, error)

    def count(self, name: str) -> None:
        """Add one to a fleet-wide counter, with the next settle of any partition."""
        for owned in list(self.partitions.values())[:1]:
            owned.count(name)

    def leave(self, partition: int) -> asyncio.Event:
        """Claim no more from a partition, and release it once nothing of it runs; the event is set then."""
        owned = self.partitions[partition]
        owned.leaving = True
        self._wake.set()
        return owned.closed

    def stay(self, partition: int) -> None:
        """Go on with one that was to be left."""
        self.partitions[partition].leaving = False
        self.nudge(partition)

    def hand_over(self, within_s: float) -> asyncio.Event:
        """Let others own all after that time, although attempts run; the event is set whenever they may own some."""
        self._wake.set()
        return self._holdings.hand_over(within_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set. Survives a store that goes away, and any error of ours."""
        pause_s = FIRST_PAUSE_S
        while not stop.is_set():
            try:
                await self._turn()
                pause_s = FIRST_PAUSE_S
            except Exception as error:
                self._note_failure(error, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _turn(self) -> None:
        begun = self._now()
        if not await self._round():
            await self._sleep()
        elif self._much_runs() and (len(self._launcher) < AT_ONCE or self._free() < self._portion):
            await gather(self.partitions.values(), self._concurrency, begun, self._now, self._run_ended)

    def _much_runs(self) -> bool:
        """True when more outcomes will come soon: of a run the next follows whether the last is settled or not."""
        return self._attempts.runs > 0 or self.in_flight > FEW

    def _end_run(self) -> None:
        """The account's next events can be claimed as soon as this is settled."""
        if not self._much_runs():
            self._run_ended.set()

    async def stop(self, within_s: float) -> None:
        """Let running attempts end, settle them, release every partition. Attempts that run longer are given back."""
        deadline = self._now() + within_s
        for owned in self.partitions.values():
            owned.leaving = True
        while (self.in_flight + ended_in(self.partitions.values())) and self._now() < deadline:
            self._wake.clear()
            await self._last_round()
            if not (self.in_flight + ended_in(self.partitions.values())):
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(0.2, max(0.01, deadline - self._now()))):
                    await self._wake.wait()
        self._launcher.clear()
        await self._beside.end(deadline - self._now())
        for owned in list(self.partitions.values()):
            await asyncio.gather(*owned.cancel(), return_exceptions=True)
        await self._last_round()
        await self._beside.end(LONGEST_PAUSE_S)
        await self._holdings.release()

    async def _last_round(self) -> None:
        try:
            await self._round()
        except Exception as error:
            self._note_failure(error, retry_in_s=0)

    def _note_failure(self, error: Exception, retry_in_s: float) -> None:
        if isinstance(error, StoreUnavailable):
            log.warning("store unavailable", error=str(error), retry_in_s=retry_in_s)
            return
        log.error("round broke off", retry_in_s=retry_in_s, exc_info=error)
        self._holdings.doubt(self.partitions.values())  # replies may not have been read

    async def _sleep(self) -> None:
        now, free, owned = self._now(), self._free() > 0, self.partitions.values()
        self._wake.clear()
        if any(one.ready(now, free) for one in owned):
            return
        due = [at - now for one in owned if (at := one.wakes_at(free)) is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min([*due, until_next(IDLE_S, now) if free else LONG_S, self._lease_s / 4])):
                await self._wake.wait()

    def _free(self) -> int:
        if room_bytes(self.partitions.values()) <= 0:
            return 0
        kept = sum(owned.requested + owned.unasked.left for owned in self.partitions.values())
        free, lent = self._concurrency - self.in_flight - kept, self._places.lent(self._now())
        return free if free > self._concurrency // 4 else free + lent

    async def _round(self) -> bool:
        """One round trip for all partitions, or for those of each node. True when there was something to do."""
        at_hand = {number: owned for number, owned in self.partitions.items() if not owned.asked}
        settles = self._settles(at_hand.values())
        claims = self._claims([owned for owned in at_hand.values() if not owned.may_rest])
        room = max(1, min(ALL_BYTES, room_bytes(self.partitions.values())) // max(1, len(claims)))
        ask, nodes = partial(self._ask, room=room), self._store.by_node(at_hand)
        if len(nodes) == 1 and len(at_hand) == len(self.partitions):
            return await ask(Part(list(at_hand.values()), settles, claims))
        return await self._beside.run([Part.of([at_hand[one] for one in node], settles, claims) for node in nodes], ask)

    async def _ask(self, part: Part, room: int) -> bool:
        group, settles, claims = part
        settling, asked_at = {owned for owned, _, _ in settles}, self._now()
        unsure = [one for one in group if one.unconfirmed and one.paused_until <= asked_at]
        try:
            if unsure:
                await self._holdings.confirm(unsure)
            if leaving := [one for one in group if one.leaving and one not in settling]:
                await self._holdings.let_go(leaving, asked_at - self._lease_s / 4)
            if not settles and not claims:
                return bool(unsure)
            asked_at = self._now()
            asked = [call for _, _, call in settles], self._claim_calls(claims, room)
            settled, claimed = await self._store.exchange(*asked)
        except BaseException:
            for owned, batch, _ in settles:
                owned.put_back(batch)
            self._holdings.doubt(part.asked)
            raise
        self._attempts.note_reply(self._now() - asked_at)
        for (owned, batch, _), reply in zip(settles, settled, strict=True):
            self._take_receipt(owned, batch, reply)
        for (owned, _), reply in zip(claims, claimed, strict=True):
            try:
                self._take_claim(owned, reply, asked_at)
            except Exception as error:
                self._holdings.set_aside(owned, error)
        return bool(settles or unsure) or any(owned.work_expected for owned, _ in claims)

    def _settles(self, at_hand: Iterable[OwnedPartition]) -> list[Settle]:
        now_ms = self._clock.now_ms()
        settles = []
        for owned in list(at_hand):
            batch = None
            try:
                if not owned.unconfirmed and (batch := owned.take_batch(now_ms)):
                    settles.append((owned, batch, self._settle_call(owned, batch)))
                    owned.work_expected = True
            except Exception as error:
                self._holdings.set_aside(owned, error, batch)
        return settles

    def _settle_call(self, owned: OwnedPartition, batch: Batch) -> Call:
        return self._store.settle_call(owned.partition, owned.generation, *batch)

    def _take_receipt(self, owned: OwnedPartition, batch: Batch, reply: list[Any] | None) -> None:
        if reply is None:
            self._holdings.pause(owned, batch)
        elif reply[0] != b"ok":
            self._holdings.lose(owned)
        else:
            owned.faults = 0
            if first := {text(event_id) for event_id in reply[2:]}:
                self._runner.notify_of_dead([one for one in batch[0] if one.event_id in first])

    def _claims(self, at_hand: Collection[OwnedPartition]) -> list[Allotment]:
        """For half of the slots at most: the next half is claimed while this one begins."""
        now, free = self._now(), min(self._portion, self._free())
        return allot(at_hand, free, now, now - self._lease_s / 4)

    def _claim_calls(self, claims: Collection[Allotment], room: int) -> list[Call]:
        few = self._store.one_server and not self._much_runs() and self._free() > sum(most for _, most in claims)
        unasked, call = share(self._concurrency, len(self.partitions)) if few else 0, self._store.claim_call
        return [call(one.partition, one.generation, most, room, one.unasked.offer(unasked)) for one, most in claims]

    def _take_claim(self, owned: OwnedPartition, reply: list[Any] | None, asked_at: float) -> None:
        if reply is None:
            self._holdings.pause(owned)
            return
        claim = read_claim(reply, room_bytes(self.partitions.values()))
        if claim is None:
            self._holdings.lose(owned)
            return
        self._clock.learn(claim.now_ms, asked_at)
        owned.note(claim, asked_at, self._now())
        for head, followers in claim.followers.items():
            owned.line_up(head, Run(followers, asked_at + RUN_S))
        self._begin_all(owned, claim)

    def _begin_all(self, owned: OwnedPartition, claim: Claim) -> None:
        if given_back := [*claim.unreadable, *(self._runner.crowd_out(owned, one) for one in claim.too_large)]:
            owned.outcomes += given_back
            self._wake.set()
        self._launcher.add(owned, claim.events)

    def _begin(self, owned: OwnedPartition, claimed: Claimed) -> None:
        self._attempts.begin(owned, claimed)
