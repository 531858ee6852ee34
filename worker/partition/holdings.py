"""Partitions that a worker holds: owned anew after a lost reply, set aside after an error, let go. Claims nothing."""

from __future__ import annotations

from collections.abc import Sequence
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
        self._worker_id = worker_id
        self._store = store
        self._now = now

    async def confirm(self, unsure: Sequence[OwnedPartition]) -> None:
        """Own partitions anew after a lost reply, under a newer generation."""
        for owned, reply in zip(unsure, await self._ask(unsure, [self._own_anew(one) for one in unsure]), strict=True):
            if reply is None:
                self.pause(owned)
            elif reply[0] == b"ok":
                owned.generation = owned.newest_generation
                owned.unconfirmed = False
                owned.work_expected = True
            else:
                self.lose(owned)

    async def rest(self, leaving: Sequence[OwnedPartition]) -> None:
        """Let go of partitions; what they still have claimed is due again at once."""
        calls = [self._store.rest_call(one.partition, one.generation) for one in leaving]
        for owned, reply in zip(leaving, await self._ask(leaving, calls), strict=True):
            if reply is None:
                self.pause(owned)
            else:
                self.lose(owned)

    def set_aside(self, owned: OwnedPartition, error: Exception) -> None:
        """Go on without a partition for a while, and leave it to others once that has not helped."""
        owned.faults += 1
        given_up = owned.faults >= GIVEN_UP_AFTER
        log.error("partition set aside", partition=owned.partition, given_up=given_up, exc_info=error)
        if given_up:
            self.lose(owned)
        else:
            self.pause(owned)

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
