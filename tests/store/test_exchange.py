"""A round of several partitions: what is asked in one call, what each is answered, and what stops none but its own."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.model.event import Event
from dispatcher.model.status import Status
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning import exchange as module
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.redis.scripts import Call, Client
from tests.events import event_of
from tests.hand_worker import RETENTION_MS, HandWorker

PARTITIONS = 4


class Round:
    """A worker that has all partitions, and an event of one account after another in each."""

    def __init__(self, client: Client) -> None:
        self.queue = QueueStore(client, partitions=PARTITIONS, retention_ms=RETENTION_MS)
        self.worker = HandWorker(client, PARTITIONS)

    async def begin(self) -> list[Settlement]:
        """One event of each partition is claimed and has gone well; another of its account waits."""
        await self.queue.take_writes()
        for partition in range(PARTITIONS):
            await self.worker.own(partition)
            await self.queue.accept([self.event(partition), self.event(partition)])
        claims = await self.worker.claim_of_each(range(PARTITIONS))
        return [Settlement(claim.events[0], Status.SUCCEEDED) for claim in claims]

    def event(self, partition: int) -> Event:
        lanes = (f"00000000-0000-4000-8000-{number:012d}" for number in range(1000))
        lane = next(lane for lane in lanes if self.queue.partition_of(lane) == partition)
        return event_of(lane, PARTITIONS)

    def settle(self, one: Settlement, generation: int | None = None) -> Call:
        partition = self.worker.partition_of(one.event_id)
        return self.worker.store.settle_call(partition, generation or self.worker.generations[partition], [one])

    def claim(self, partition: int) -> Call:
        return self.worker.store.claim_call(partition, self.worker.generations[partition], 10)


def _claimed(reply: Any) -> list[str]:
    claim = read_claim(reply)
    assert claim is not None
    return [one.event.id for one in claim.events]


async def test_all_partitions_are_settled_and_claimed_in_one_call(redis: Redis) -> None:
    made = Round(redis)
    ended = await made.begin()
    await redis.config_resetstat()
    settled, claimed = await made.worker.store.exchange(
        [made.settle(one) for one in ended[:3]], [made.claim(partition) for partition in (1, 2, 3)]
    )
    assert [reply[:2] for reply in settled] == [[b"ok", 1]] * 3
    assert [len(_claimed(reply)) for reply in claimed] == [1, 1, 0], "the next of each account whose first has ended"
    assert (await redis.info("commandstats"))["cmdstat_fcall"]["calls"] == 1


async def test_with_many_outcomes_it_is_more_than_one_call(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENOUGH", 1)
    made = Round(redis)
    ended = await made.begin()
    await redis.config_resetstat()
    settled, claimed = await made.worker.store.exchange([made.settle(one) for one in ended], [made.claim(3)])
    assert [reply[:2] for reply in settled] == [[b"ok", 1]] * PARTITIONS
    assert len(_claimed(claimed[0])) == 1
    assert (await redis.info("commandstats"))["cmdstat_fcall"]["calls"] == PARTITIONS


async def _with_one_damaged_and_one_lost(client: Any) -> None:
    made = Round(client)
    ended = await made.begin()
    await client.delete("{p1}:lanes")
    await client.set("{p1}:lanes", "not a sorted set")
    settles = [made.settle(one, 7 if number == 2 else None) for number, one in enumerate(ended)]
    settled, claimed = await made.worker.store.exchange(settles, [made.claim(number) for number in range(PARTITIONS)])
    assert settled[1] is claimed[1] is None, "damaged"
    assert settled[2] == [b"lost"]
    assert [settled[number][:2] for number in (0, 3)] == [[b"ok", 1]] * 2
    assert [len(_claimed(claimed[number])) for number in (0, 3)] == [1, 1]


async def test_what_stops_one_partition_stops_no_other(redis: Redis) -> None:
    await _with_one_damaged_and_one_lost(redis)


async def test_what_stops_one_partition_stops_no_other_in_a_cluster(cluster: Redis) -> None:
    await _with_one_damaged_and_one_lost(cluster)
