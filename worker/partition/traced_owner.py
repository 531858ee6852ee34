"""The owner where spans are sent somewhere: its claims and settles are steps of the attempts' traces."""

from __future__ import annotations

from typing import Any

from dispatcher.store.queue.owning.claims import Claimed
from dispatcher.store.redis.scripts import Call
from worker.delivery.traces import AttemptTraces
from worker.partition.owned_partition import Batch, OwnedPartition
from worker.partition.owner import Owner


class TracedOwner(Owner):
    """Works as any other."""

    def traced_by(self, traces: AttemptTraces) -> TracedOwner:
        """Itself; told apart from how an owner is made."""
        self._traces = traces
        self._settling_s = 0.0
        return self

    def _begin(self, owned: OwnedPartition, claimed: Claimed) -> None:
        for one in (claimed, *owned.runs.get(claimed.claim_id, ())):
            self._traces.claimed(one, self._now() - owned.renewed_at)
        super()._begin(owned, claimed)

    def _settle_call(self, owned: OwnedPartition, batch: Batch) -> Call:
        self._settling_s = self._now()
        return super()._settle_call(owned, batch)

    def _take_receipt(self, owned: OwnedPartition, batch: Batch, reply: list[Any] | None) -> None:
        super()._take_receipt(owned, batch, reply)
        if reply is None:  # it is settled again
            return
        problem = None if reply[0] == b"ok" else "the partition was lost"
        for settlement in batch[0]:
            self._traces.settled(settlement, self._now() - self._settling_s, problem)
