"""A worker's hand without a worker: claims and settles single events through the store's own scripts."""

from __future__ import annotations

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from dispatcher.store.queue.codec import read_claim
from dispatcher.store.queue.partition import Claimed, Move, PartitionStore, Settlement
from tests.api.conftest import Api

URL = "https://host.example/hook"
STARTED_MS = 1_700_000_000_123


class WorkerHand:
    def __init__(self, api: Api) -> None:
        self._store = PartitionStore(
            api.redis,
            partitions=api.services.queue.partitions,
            retention_ms=3_600_000,
            lease_ms=60_000,
            lane_cap=100,
        )
        self._generations: dict[int, int] = {}

    async def claim(self, event_id: str) -> Claimed:
        """Take the event and nothing else."""
        partition = int(event_id[-3:], 16)
        if partition not in self._generations:
            generation = await self._store.grant(partition, 3000)
            assert await self._store.own(partition, generation, "hand")
            self._generations[partition] = generation
        call = self._store.claim_call(partition, self._generations[partition], 100)
        claim = read_claim((await self._store.round_trip([call]))[0])
        assert claim is not None
        others = [one for one in claim.events if one.event.id != event_id]
        await self._record(partition, [Settlement(one, Move.RELEASE) for one in others])
        return next(one for one in claim.events if one.event.id == event_id)

    async def settle(self, event_id: str, to: Status, delay_ms: int = 0, http_status: int = 500) -> None:
        """One whole attempt that ends as told."""
        claimed, fine = await self.claim(event_id), to is Status.SUCCEEDED
        outcome = Outcome.OK if fine else Outcome.HTTP_ERROR
        attempt = Attempt(claimed.n, STARTED_MS, 12.5, URL, outcome, http_status, response_body="oh", worker="hand")
        code, text = (None, None) if fine else ("UNKNOWN_ERROR", "answered 500")
        await self._record(int(event_id[-3:], 16), [Settlement(claimed, to, delay_ms, attempt, code, text)])

    async def _record(self, partition: int, settlements: list[Settlement]) -> None:
        call = self._store.settle_call(partition, self._generations[partition], settlements)
        assert (await self._store.round_trip([call]))[0][0] == b"ok"
