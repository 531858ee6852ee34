"""The queue's story on every server found: the packaged one, and a Redis or Valkey of the system."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from dispatcher.ids import new_event_id
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.codec import read_claim
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.partition import MEND_START, Claimed, Move, PartitionStore, Settlement
from dispatcher.store.redis.connection import connect

LANE = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
RETENTION_MS = 3_600_000


class Counter:
    """Both sides of one partition of one store."""

    def __init__(self, client: Redis) -> None:
        self.queue = QueueStore(client, partitions=1, retention_ms=RETENTION_MS)
        self.store = PartitionStore(client, partitions=1, retention_ms=RETENTION_MS, lease_ms=60_000, lane_cap=10)
        self.generation = 0

    async def own(self, worker: str) -> None:
        self.generation = await self.store.grant(0, 2000)
        assert await self.store.own(0, self.generation, worker)

    async def emit(self, account: str | None) -> str:
        event = Event(new_event_id(1, 0), EventType.SUBSCRIPTION_CHANGE, LANE, 1, account_id=account, payload={"x": 1})
        await self.queue.accept([event])
        return event.id

    async def claim(self) -> list[Claimed]:
        claim = read_claim((await self.store.round_trip([self.store.claim_call(0, self.generation, 10)]))[0])
        assert claim is not None
        return claim.events

    async def settle(self, claimed: Claimed, to: Status | Move, delay_ms: int = 0) -> int:
        call = self.store.settle_call(0, self.generation, [Settlement(claimed, to, delay_ms)])
        return int((await self.store.round_trip([call]))[0][1])

    async def assert_well(self) -> None:
        report = await self.store.audit()
        assert report.well, report
        assert (await self.store.mend({0: MEND_START}))[0][1] == 0


@pytest.fixture
async def counter(server_url: str) -> AsyncIterator[Counter]:
    async with connect(server_url) as client:
        await client.flushall()
        made = Counter(client)
        await made.own("w1")
        yield made


async def test_accept_claim_settle_in_order(counter: Counter) -> None:
    first, second, alone = await counter.emit("A"), await counter.emit("A"), await counter.emit(None)
    claimed = {one.event.id: one for one in await counter.claim()}
    assert set(claimed) == {first, alone}
    assert await counter.settle(claimed[first], Status.RETRYING) == 1
    assert await counter.settle(claimed[alone], Status.SUCCEEDED) == 1
    again = await counter.claim()
    assert [one.event.id for one in again] == [first]
    assert await counter.settle(again[0], Status.DEAD) == 1
    last = await counter.claim()
    assert [one.event.id for one in last] == [second]
    assert await counter.settle(last[0], Status.AWAITING_RESULT, 60_000) == 1
    await counter.queue.result(second, success=True, account_identifier="A-1")
    await counter.assert_well()
    assert (await counter.store.audit()).terminal == 3


async def test_rest_and_resume_give_back_what_was_held(counter: Counter) -> None:
    event_id = await counter.emit("A")
    claimed = (await counter.claim())[0]
    await counter.queue.suspend_url(LANE, "https://host.test/x")
    await counter.settle(claimed, Status.HELD)
    await counter.queue.pause(LANE)
    assert await counter.queue.resume(LANE) == 1
    assert await counter.store.rest(0, counter.generation)
    await counter.own("w2")
    assert [one.event.id for one in await counter.claim()] == [event_id]
    await counter.assert_well()


async def test_an_attempt_overtaken_by_a_redelivery_settles_nothing(counter: Counter) -> None:
    event_id = await counter.emit("A")
    overtaken = (await counter.claim())[0]
    await counter.queue.result(event_id, success=False)
    await counter.queue.redeliver(event_id, None)
    again = (await counter.claim())[0]
    assert await counter.settle(overtaken, Status.SUCCEEDED) == 0
    assert await counter.settle(again, Status.SUCCEEDED) == 1
    await counter.assert_well()


async def test_everything_can_be_read(counter: Counter) -> None:
    event_id = await counter.emit("A")
    await counter.claim()
    stored, why, view = (
        await counter.queue.get(event_id),
        await counter.queue.explain(event_id),
        await counter.queue.overview(),
    )
    assert stored is not None
    assert why is not None
    assert (stored.state.status, view.in_flight) == (Status.DELIVERING, 1)
    assert [change.status for change in await counter.queue.changes(None)] == [Status.QUEUED]
