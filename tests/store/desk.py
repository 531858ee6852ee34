"""One caller and one worker at the queue's scripts, on a real server. Holds no test."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.ids import new_event_id, partition_of_lane
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.codec import read_claim
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.partition import Claim, Claimed, Move, PartitionStore, Settlement

LANE = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
PARTITIONS = 4
HOME = partition_of_lane(LANE, PARTITIONS)


class Desk:
    """Both sides of one store, with the partition of LANE taken up."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self.queue = QueueStore(client, partitions=PARTITIONS, retention_ms=3_600_000)
        self.worker = PartitionStore(client, partitions=PARTITIONS, retention_ms=3_600_000, lease_ms=5000, lane_cap=100)
        self.generation = 0
        self.claimed: dict[str, Claimed] = {}

    async def open(self) -> Desk:
        self.generation = await self.worker.grant(HOME, 3000)
        assert await self.worker.own(HOME, self.generation, "w1")
        return self

    async def emit(self, account: str | None, kind: EventType = EventType.SUBSCRIPTION_CHANGE) -> str:
        event = Event(new_event_id(1, HOME), kind, LANE, 1, product_id="p", account_id=account, payload={"x": 1})
        await self.queue.accept([event])
        return event.id

    async def claim(self, at_most: int = 100) -> Claim:
        replies = await self.worker.round_trip([self.worker.claim_call(HOME, self.generation, at_most)])
        claim = read_claim(replies[0])
        assert claim is not None
        self.claimed |= {claimed.event.id: claimed for claimed in claim.events}
        return claim

    async def ids(self, at_most: int = 100) -> list[str]:
        return [claimed.event.id for claimed in (await self.claim(at_most)).events]

    async def settle(self, event_id: str, to: Status | Move, delay_ms: int = 0) -> int:
        call = self.worker.settle_call(HOME, self.generation, [Settlement(self.claimed[event_id], to, delay_ms)])
        reply = (await self.worker.round_trip([call]))[0]
        return int(reply[1]) if reply[0] == b"ok" else -1

    async def status(self, event_id: str) -> Status:
        stored = await self.queue.get(event_id)
        assert stored is not None
        return stored.state.status

    async def assert_well(self) -> None:
        report = await self.worker.audit()
        assert report.well, report
