"""A worker's hand without a worker: claims and settles single events through the store's own scripts."""

from __future__ import annotations

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from dispatcher.store.partition import Move, PartitionStore, Settlement, read_claim
from tests.api.conftest import Api


class WorkerHand:
    def __init__(self, api: Api) -> None:
        self._queue = api.services.queue
        self._store = PartitionStore(
            api.redis, partitions=self._queue.partitions, retention_ms=3_600_000, lease_ms=60_000, lane_cap=100
        )
        self._generations: dict[int, int] = {}

    async def claim(self, event_id: str) -> int:
        """Take the event and nothing else; returns the number of the attempt."""
        partition = int(event_id[-3:], 16)
        if partition not in self._generations:
            generation = await self._store.grant(partition, 3000)
            assert await self._store.own(partition, generation, "hand")
            self._generations[partition] = generation
        call = self._store.claim_call(partition, self._generations[partition], 100)
        claim = read_claim((await self._store.round_trip([call]))[0])
        assert claim is not None
        others = [one for one in claim.events if one.event.id != event_id]
        await self._settle(partition, [Settlement(one.event.id, one.n, Move.RELEASE) for one in others])
        return next(claimed.n for claimed in claim.events if claimed.event.id == event_id)

    async def settle(self, event_id: str, to: Status | Move, delay_ms: int = 0, http_status: int = 500) -> None:
        """One whole attempt that ends as told."""
        n = await self.claim(event_id)
        outcome = Outcome.OK if to is Status.SUCCEEDED else Outcome.HTTP_ERROR
        attempt = Attempt(
            n,
            1_700_000_000_123,
            12.5,
            "https://host.example/hook",
            outcome,
            http_status,
            response_body="oh",
            worker="hand",
        )
        code, text = (None, None) if to is Status.SUCCEEDED else ("UNKNOWN_ERROR", "answered 500")
        settlement = Settlement(event_id, n, to, delay_ms, attempt, code, text)
        await self._settle(int(event_id[-3:], 16), [settlement])

    async def _settle(self, partition: int, settlements: list[Settlement]) -> None:
        call = self._store.settle_call(partition, self._generations[partition], settlements)
        assert (await self._store.round_trip([call]))[0][0] == b"ok"
