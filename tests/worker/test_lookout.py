"""A worker that is killed is found by what its end leaves behind; one that is frozen, cut off or slow keeps its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis.asyncio import Redis

from dispatcher.clock import StoreClock, system_clock
from dispatcher.model.lease import Lease
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.health.workers.listeners import Listeners
from dispatcher.store.health.workers.report_lost import report_lost
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.owning.leases import Leases
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.redis.connection import connect, connect_listener
from dispatcher.store.redis.server_time import ServerTime
from tests.waiting import until
from worker.lookout import Lookout, Sight

PARTITIONS, LEASE_MS = 4, 600_000
"""Nothing here is found by the end of a lease."""


class Other:
    """A worker whose life is in the test's hands."""

    def __init__(self, redis: Redis) -> None:
        self.beats, self.leases = Heartbeats(redis), Leases(redis, PARTITIONS)
        self.store = PartitionStore(
            redis, partitions=PARTITIONS, retention_ms=3_600_000, lease_ms=LEASE_MS, lane_cap=32
        )
        self.generations: dict[int, int] = {}

    async def own(self, *partitions: int) -> None:
        await self.beats.look("other")
        for partition in partitions:
            generation = self.generations[partition] = await self.store.grant(partition, 2000)
            assert await self.store.own(partition, generation, "other")

    async def claims(self, partition: int) -> bool:
        """True while the partition is its own."""
        (reply,) = await self.store.round_trip([self.store.claim_call(partition, self.generations[partition], 1)])
        return bool(reply[0] == b"ok")


@asynccontextmanager
async def listening(redis_url: str, worker_id: str) -> AsyncIterator[None]:
    async with connect_listener(redis_url) as client, client.pubsub() as subscription:
        await subscription.subscribe(queue_keys.nudge_channel(worker_id))
        await subscription.get_message(timeout=30)
        yield


@pytest.fixture
async def other(redis: Redis) -> Other:
    return Other(redis)


@pytest.fixture
async def lookout(redis: Redis, redis_url: str, other: Other) -> AsyncIterator[Lookout]:
    """Of a worker that listens, and has heard the other one listening."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connect_listener(redis_url))
        await stack.enter_async_context(listening(redis_url, "me"))
        yield Lookout("me", other.beats, Listeners(client), other.leases, ServerTime(client, StoreClock()))


async def looks(lookout: Lookout, times: int) -> list[int]:
    """Partitions whose leases so many looks ended."""
    return [partition for _ in range(times) for partition in (await lookout.look()).ended]


async def ended(lookout: Lookout) -> Sight | None:
    """One look, if it ended leases."""
    sight = await lookout.look()
    return sight if sight.ended else None


async def unheard(redis: Redis) -> None:
    """Until Redis knows that the other's connection is gone."""
    channel = queue_keys.nudge_channel("other")
    await until(lambda: _silent(redis, channel), 30)


async def _silent(redis: Redis, channel: str) -> bool:
    return dict(await redis.pubsub_numsub(channel)) == {channel.encode(): 0}


async def test_a_worker_whose_connections_ended_loses_its_leases(
    lookout: Lookout, other: Other, redis: Redis, redis_url: str
) -> None:
    await other.own(0, 3)
    async with listening(redis_url, "other"):
        assert await lookout.look() == Sight(2, left=False)
    await unheard(redis)
    assert await lookout.look() == Sight(2, left=False, silent=True)
    assert await until(lambda: ended(lookout)) == Sight(1, left=False, ended=(0, 3))
    assert set(await other.store.unowned((), system_clock.now_ms())) == {0, 1, 2, 3}
    assert await lookout.look() == Sight(1, left=False)


async def test_a_frozen_worker_keeps_what_it_has(lookout: Lookout, other: Other, redis_url: str) -> None:
    """Its connections live: neither heartbeats nor renewals move."""
    await other.own(0)
    async with listening(redis_url, "other"):
        assert await looks(lookout, 20) == []
    assert await other.claims(0)


async def test_a_worker_that_lost_its_subscription_alone_keeps_what_it_has(
    lookout: Lookout, other: Other, redis: Redis, redis_url: str
) -> None:
    await other.own(0)
    async with listening(redis_url, "other"):
        await lookout.look()
    await unheard(redis)
    for _ in range(20):
        await redis.zincrby(deployment_keys.WORKERS, 1, "other")  # its next heartbeat, without a wait for the clock
        assert await looks(lookout, 1) == []
    assert await other.claims(0)


async def test_a_heartbeat_is_written_by_who_is_heard_seldom_and_by_who_is_not_at_each_look(
    redis: Redis, redis_url: str
) -> None:
    beats = Heartbeats(redis)

    async def keeps(worker_id: str) -> bool:
        """A heartbeat that is not old, whatever the clock does meanwhile, is left as it is."""
        ahead_ms = (await beats.look(worker_id)).now_ms + 3_600_000
        await redis.zadd(deployment_keys.WORKERS, {worker_id: ahead_ms})
        return (await beats.look(worker_id)).beats[worker_id] == ahead_ms

    async with listening(redis_url, "heard"):
        assert await keeps("heard")
        await redis.zadd(deployment_keys.WORKERS, {"heard": 1})
        assert (await beats.look("heard")).beats["heard"] > 1, "it was old"
    assert not await keeps("unheard")


async def test_a_lease_that_was_renewed_or_granted_anew_since_it_was_seen_is_not_ended(other: Other) -> None:
    await other.own(0, 1)
    seen = await other.leases.of(["other"])
    renewed = {lease._replace(until_ms=lease.until_ms - 1) for lease in seen if lease.partition == 0}
    moved_on = {lease._replace(generation=lease.generation - 1) for lease in seen if lease.partition == 1}
    assert await other.leases.end(renewed | moved_on | {Lease(2, 1, "other", 1)}) == []
    assert await other.leases.end(seen) == [0, 1]
    assert await other.leases.end(seen) == []


async def test_who_was_taken_for_lost_changes_nothing_under_its_old_generation(other: Other) -> None:
    await other.own(0)
    await other.leases.end(await other.leases.of(["other"]))
    generation = await other.store.grant(0, 2000)
    assert generation > other.generations[0]
    assert not await other.claims(0)


async def test_without_the_right_to_ask_nobody_is_taken_for_lost(
    other: Other, redis: Redis, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await redis.execute_command(
        "ACL", "SETUSER", "u", "reset", "on", ">pw", "allkeys", "allchannels", "+@all", "-pubsub"
    )  # type: ignore[no-untyped-call]
    await other.own(0)
    async with connect(redis_url.replace("unix://", "unix://u:pw@")) as client, listening(redis_url, "me"):
        lookout = Lookout("me", Heartbeats(client), Listeners(client), other.leases, ServerTime(client, StoreClock()))
        async with listening(redis_url, "other"):
            await lookout.look()
        assert await looks(lookout, 10) == []
    assert capsys.readouterr().out.count("a lost worker is found by its lease only") == 1
    assert await other.claims(0)


async def test_what_a_supervisor_saw_ending_is_free_at_once_and_nobody_counts_with_it(
    lookout: Lookout, other: Other, redis: Redis, redis_url: str
) -> None:
    await other.own(1, 2)
    assert (await lookout.look()).alive == 2
    assert await report_lost(redis, PARTITIONS, "other") == [1, 2]
    assert await lookout.look() == Sight(1, left=True)
