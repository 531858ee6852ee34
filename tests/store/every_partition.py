"""Every partition of a queue at once, each with one lane, before one worker that owns them all. Holds no test."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.clock import system_clock
from dispatcher.ids import new_uuid
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Claimed, LaneSetting, Settlement
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.events import event_of
from tests.hand_worker import RETENTION_MS, HandWorker

PARTITIONS = 4
URL = "https://host.test/x"


class EveryPartition:
    """Each step asserts what it is answered, and goes on from the step before."""

    def __init__(self, client: Redis) -> None:
        self.queue = QueueStore(client, partitions=PARTITIONS, retention_ms=RETENTION_MS)
        self.worker = HandWorker(client, PARTITIONS, name="w", lease_ms=5000, lane_cap=10)
        self.store = self.worker.store
        self.lanes: dict[int, str] = {}
        while len(self.lanes) < PARTITIONS:
            lane = new_uuid()
            self.lanes.setdefault(self.queue.partition_of(lane), lane)

    def event(self, partition: int, kind: EventType = EventType.SUBSCRIPTION_CHANGE) -> Event:
        return event_of(self.lanes[partition], PARTITIONS, "A", kind)

    async def accept_two_each(self) -> None:
        events = [self.event(partition) for partition in self.lanes for _ in range(2)]
        assert not any(receipt.replayed for receipt in await self.queue.accept(events))
        assert (await self.queue.reserve("c", "k", "h", events[0].id)).fresh

    async def own_all(self) -> None:
        assert await self.store.unowned((), system_clock.now_ms()) == dict.fromkeys(range(PARTITIONS), 0)
        for partition in self.lanes:
            await self.worker.own(partition)

    async def claim_heads(self) -> list[Claimed]:
        """The first event of each account; the second waits for it."""
        heads = [claimed for claim in await self.worker.claim_of_each(list(self.lanes), 5) for claimed in claim.events]
        assert len(heads) == PARTITIONS
        return heads

    async def settle_as_failed(self, heads: list[Claimed]) -> None:
        """With all that a settle may carry."""
        calls = []
        for claimed in heads:
            lane = claimed.event.integration_id
            partition = self.queue.partition_of(lane)
            notice = self.event(partition, EventType.SUBSCRIPTION_STATUS)
            failed = Settlement(claimed, Status.FAILED, account_identifier="A-1", notification=notice)
            settings, counters = [LaneSetting(lane, "cap", 5)], {"attempts:OK": 1}
            generation = self.worker.generations[partition]
            calls.append(self.store.settle_call(partition, generation, [failed], settings, counters))
        assert [reply[1] for reply in await self.store.round_trip(calls)] == [1] * PARTITIONS

    async def act_on(self, claimed: Claimed) -> None:
        """Everything that operators do to an event and to its lane."""
        event_id, lane = claimed.event.id, claimed.event.integration_id
        await self.queue.redeliver(event_id, 1)
        await self.queue.resolve(event_id)
        await self.queue.pause(lane)
        await self.queue.suspend_url(lane, URL)
        await self.queue.resume(lane)
        assert await self.queue.explain(event_id) is not None
        assert await self.queue.attempts(event_id) == []

    async def look(self) -> None:
        assert len((await self.queue.page(EventFilter(), None, 100)).items) == 2 * PARTITIONS
        assert (await self.queue.overview()).ready == 2 * PARTITIONS
        assert len(await self.queue.changes(None)) >= 4 * PARTITIONS

    async def keep_up(self) -> None:
        mended = await self.store.repair(dict.fromkeys(self.lanes, REPAIR_START))
        assert {made for _, made in mended.values()} == {0}
        assert await self.store.overdue_results(self.lanes, 10**13) == []
        for partition, generation in self.worker.generations.items():
            await self.store.trim(partition, RETENTION_MS + 1)
            assert await self.store.rest(partition, generation)
        assert (await self.store.recount()).well
