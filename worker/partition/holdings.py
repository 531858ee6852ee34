"""Partitions that a worker holds: owned anew after a lost reply, set aside after an error, let go. Claims nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from dispatcher.clock import Seconds
from dispatcher.errors import StoreUnavailable
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.redis.scripts import Call
from worker.partition.owned_partition import Batch, OwnedPartition

BROKEN_PAUSE_S = 1.0
"""Pause of a partition whose keys cannot be used now, or with which an error of ours was met."""
GIVEN_UP_AFTER = 5
"""Errors of ours in a row after which a partition is left to whoever takes it up anew."""

log = structlog.get_logger("owner")


class Holdings:
    """One per owner. Whatever goes wrong with a partition concerns no other."""

    def __init__(self, worker_id: str, store: PartitionStore, now: Seconds) -> None:
        self.partitions: dict[int, OwnedPartition] = {}
        self.freed = asyncio.Event()
        """Set whenever others may own one."""
        self._worker_id = worker_id
        self._store = store
        self._now = now

    async def take(self, granted: Mapping[int, int]) -> None:
        """Take up partitions that are not held, each by the generation that was granted."""
        asked_at, wanted = self._now(), {one: granted[one] for one in granted if one not in self.partitions}
        calls = [self._store.own_call(partition, wanted[partition], self._worker_id) for partition in wanted]
        for partition, reply in zip(wanted, await self._store.round_trip(calls) if calls else (), strict=True):
            if reply and reply[0] == b"ok":
                self.partitions[partition] = OwnedPartition(partition, wanted[partition], asked_at)

    async def confirm(self, unsure: Sequence[OwnedPartition]) -> None:
        """Own partitions anew after a lost reply, under a newer generation; part again with those of others."""
        if parted := [one for one in unsure if one.parted]:
            await self.part(parted)
            unsure = [one for one in unsure if not one.parted]
        for owned, reply in zip(unsure, await self._ask(unsure, [self._own_anew(one) for one in unsure]), strict=True):
            if reply is None:
                self.pause(owned)
            elif reply[0] == b"ok":
                owned.confirmed()
            else:
                self.lose(owned)

    def hand_over(self, within_s: float) -> asyncio.Event:
        """Part with what is left by then; the event is set whenever others may own some."""
        for owned in self.partitions.values():
            owned.parts_at = self._now() + within_s
        return self.freed

    async def let_go(self, leaving: Sequence[OwnedPartition], renew_before: float) -> None:
        """Rest those in which nothing runs, and part with others once it is time; again where that was said before
        ``renew_before``.
        """
        if resting := [one for one in leaving if one.may_rest]:
            await self.rest(resting)
        now = self._now()
        parting = [one for one in leaving if one.may_part and (one.parts_at or 0.0) <= now]
        if due := [one for one in parting if not one.parted or one.renewed_at < renew_before]:
            await self.part(due)

    async def rest(self, leaving: Sequence[OwnedPartition]) -> None:
        """Let go of partitions; what they still have claimed is due again at once."""
        for one in leaving:
            one.resting = True
        calls = [self._rest_call(one) for one in leaving]
        for owned, reply in zip(leaving, await self._ask(leaving, calls), strict=True):
            if reply is None:
                self.pause(owned)
            else:
                self.lose(owned)
        self.freed.set()

    async def release(self) -> None:
        """Rest all, and forget them."""
        with contextlib.suppress(StoreUnavailable):
            await self.rest(list(self.partitions.values()))
        for owned in list(self.partitions.values()):
            self.lose(owned)

    async def part(self, parting: Sequence[OwnedPartition]) -> None:
        """Let others own partitions, and go on with the attempts that run."""
        asked_at = self._now()
        for one in parting:
            one.resting = True
        calls = [self._store.part_call(one.partition, one.generation, one.claims) for one in parting]
        for owned, reply in zip(parting, await self._ask(parting, calls), strict=True):
            if reply is None:
                self.pause(owned)
            elif reply[0] == b"ok":
                owned.unconfirmed, owned.parted, owned.renewed_at = False, True, asked_at
            else:
                self.lose(owned)
        self.freed.set()

    def expect_work(self, partition: int | None) -> None:
        """The next claim of a partition, or with None of any, may bring something."""
        for owned in self.partitions.values():
            owned.work_expected |= partition in (None, owned.partition)

    def doubt(self, partitions: Iterable[OwnedPartition]) -> None:
        """A reply was lost: they are owned anew before anything else."""
        for owned in partitions:
            owned.unconfirmed = True

    def set_aside(self, owned: OwnedPartition, error: Exception, batch: Batch | None = None) -> None:
        """Go on without a partition for a while, and leave it to others once that has not helped."""
        owned.faults += 1
        given_up = owned.faults >= GIVEN_UP_AFTER
        log.error("partition set aside", partition=owned.partition, given_up=given_up, exc_info=error)
        if given_up:
            self.lose(owned)
        else:
            self.pause(owned, batch)

    def pause(self, owned: OwnedPartition, batch: Batch | None = None) -> None:
        """Ask nothing of a partition for a while, then own it anew; its outcomes are kept."""
        if batch:
            owned.put_back(batch)
        owned.unconfirmed = True
        owned.paused_until = self._now() + BROKEN_PAUSE_S

    def lose(self, owned: OwnedPartition) -> None:
        """Forget a partition that is not ours any more, and stop what runs: its outcomes would be refused."""
        if self.partitions.get(owned.partition) is owned:
            del self.partitions[owned.partition]
        owned.cancel()
        owned.closed.set()

    def _rest_call(self, owned: OwnedPartition) -> Call:
        rest = self._store.part_call if owned.parted else self._store.rest_call
        return rest(owned.partition, owned.generation)

    def _own_anew(self, owned: OwnedPartition) -> Call:
        owned.newest_generation += 1
        before, under = owned.generation, owned.newest_generation
        return self._store.own_call(owned.partition, before, self._worker_id, owned.claims, under)

    async def _ask(self, asked: Sequence[OwnedPartition], calls: Sequence[Call]) -> list[list[Any] | None]:
        """Replies, None for a partition that cannot be reached now. Raises ``StoreUnavailable`` when none can."""
        try:
            return await self._store.round_trip(calls)
        except StoreUnavailable:
            if len(asked) == len(self.partitions):
                raise
            return [None] * len(asked)
