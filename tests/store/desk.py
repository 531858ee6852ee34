"""One caller and one worker at the queue's scripts, on a real server. Holds no test."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.ids import partition_of_lane
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Claim, Claimed, Move, Settlement
from dispatcher.store.queue.owning.partition import PartitionStore
from tests.events import event_of
from tests.hand_worker import RETENTION_MS, HandWorker

LANE = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
PARTITIONS = 4
HOME = partition_of_lane(LANE, PARTITIONS)


class Desk:
    """Both sides of one store; ``open`` takes up the partition of LANE."""

    def __init__(
        self,
        client: Redis,
        partitions: int = PARTITIONS,
        retention_ms: int = RETENTION_MS,
        lane_cap: int = 100,
        run: int = 1,
    ) -> None:
        self.client = client
        self.partitions = partitions
        self.home = partition_of_lane(LANE, partitions)
        self.queue = QueueStore(client, partitions=partitions, retention_ms=retention_ms)
        self.worker = HandWorker(
            client, partitions, retention_ms=retention_ms, lease_ms=5000, lane_cap=lane_cap, run=run
        )
        self.claimed: dict[str, Claimed] = {}

    @property
    def store(self) -> PartitionStore:
        return self.worker.store

    @property
    def generation(self) -> int:
        return self.worker.generations[self.home]

    async def open(self) -> Desk:
        await self.worker.own(self.home)
        return self

    async def emit(self, account: str | None, kind: EventType = EventType.SUBSCRIPTION_CHANGE) -> str:
        event = event_of(LANE, self.partitions, account, kind)
        await self.queue.accept([event])
        return event.id

    async def claim(self, at_most: int = 100) -> Claim:
        claim = await self.worker.claim(self.home, at_most)
        self.claimed |= {claimed.event.id: claimed for claimed in claim.events}
        return claim

    async def ids(self, at_most: int = 100) -> list[str]:
        return [claimed.event.id for claimed in (await self.claim(at_most)).events]

    async def settle(self, event: str | Claimed, to: Status | Move, delay_ms: int = 0) -> int:
        """Number that counted, of a claim or of the last one of an event; -1 = the generation is lost."""
        claimed = self.claimed[event] if isinstance(event, str) else event
        return await self.worker.settle(self.home, [Settlement(claimed, to, delay_ms)])

    async def status(self, event_id: str) -> Status:
        stored = await self.queue.get(event_id)
        assert stored is not None
        return stored.state.status

    async def assert_well(self) -> None:
        await self.worker.assert_well()
