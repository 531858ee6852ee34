"""A worker that stops lets others own a partition in which attempts of its own still run, and settles these itself."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.store.desk import HOME, Desk

Held = tuple[Claimed, ...]


class Parting:
    """A desk whose worker claimed an event of each of two accounts, and lets go with the first under way."""

    def __init__(self, redis: Redis) -> None:
        self.desk, self.redis = Desk(redis), redis

    async def open(self) -> Parting:
        await self.desk.open()
        self.slow = await self.desk.emit("slow")
        self.behind = await self.desk.emit("slow")
        self.quick = await self.desk.emit("quick")
        assert set(await self.desk.ids()) == {self.slow, self.quick}
        self.former = self.desk.generation
        return self

    async def part(self, *held: str) -> bool:
        claims = [self.desk.claimed[event_id].claim_id for event_id in held]
        (reply,) = await self.desk.store.round_trip([self.desk.store.part_call(HOME, self.former, claims)])
        return bool(reply[0] == b"ok")

    async def ends(self, event_id: str) -> int:
        """Settled by the worker that stops."""
        self.desk.worker.generations[HOME], now = self.former, self.desk.generation
        try:
            return await self.desk.settle(event_id, Status.SUCCEEDED)
        finally:
            self.desk.worker.generations[HOME] = now

    async def over(self) -> None:
        """The worker that stops was not heard of for a lease."""
        await self.redis.hset(f"{{p{HOME}}}:parted", f"until:{self.former}", "1")  # type: ignore[misc]


@pytest.fixture
async def parting(redis: Redis) -> Parting:
    return await Parting(redis).open()


async def test_the_next_owner_gets_all_but_what_goes_on(parting: Parting) -> None:
    desk = parting.desk
    assert await parting.part(parting.slow)
    await desk.open()
    other = await desk.emit("other")
    assert set(await desk.ids()) == {parting.quick, other}, "the slow account waits"
    assert await desk.ids() == []
    assert await parting.ends(parting.slow) == 1
    assert await desk.ids() == [parting.behind]
    for event_id in (parting.quick, other, parting.behind):
        assert await desk.settle(event_id, Status.SUCCEEDED) == 1
    await desk.assert_well()


async def test_what_goes_on_does_so_however_often_it_is_said(parting: Parting) -> None:
    for _ in range(3):
        assert await parting.part(parting.slow)
    await parting.desk.open()
    for _ in range(3):
        assert await parting.part(parting.slow)
        assert (await parting.desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 0
    assert await parting.desk.ids() == [parting.quick]
    assert await parting.ends(parting.slow) == 1
    await parting.desk.assert_well()


async def test_what_goes_on_may_end_before_anybody_owns_the_partition(parting: Parting) -> None:
    assert await parting.part(parting.slow)
    assert await parting.ends(parting.slow) == 1
    await parting.desk.open()
    assert set(await parting.desk.ids()) == {parting.quick, parting.behind}
    await parting.desk.assert_well()


async def test_nothing_else_can_be_settled_under_the_former_generation(parting: Parting) -> None:
    assert await parting.part(parting.slow)
    await parting.desk.open()
    quick = parting.desk.claimed[parting.quick]
    assert await parting.desk.ids() == [parting.quick]
    assert parting.desk.claimed[parting.quick].n == quick.n, "it went back untouched, so the number comes again"
    assert await parting.ends(parting.quick) == 0
    assert await parting.desk.settle(parting.quick, Status.SUCCEEDED) == 1
    await parting.desk.assert_well()


async def test_what_goes_on_survives_the_next_owners_too(parting: Parting) -> None:
    """Workers that stop one after another."""
    assert await parting.part(parting.slow)
    await parting.desk.open()
    assert await parting.desk.ids() == [parting.quick]
    assert await parting.desk.store.rest(HOME, parting.desk.generation)
    await parting.desk.open()
    assert await parting.desk.ids() == [parting.quick]
    assert await parting.ends(parting.slow) == 1
    assert await parting.desk.ids() == [parting.behind]
    await parting.desk.assert_well()


async def test_what_went_on_is_repeated_once_its_worker_is_heard_of_no_more(parting: Parting) -> None:
    assert await parting.part(parting.slow)
    await parting.desk.open()
    assert await parting.desk.ids() == [parting.quick]
    assert (await parting.desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 0
    assert await parting.desk.ids() == []
    await parting.over()
    assert await parting.ends(parting.slow) == -1
    assert not await parting.part(parting.slow)
    assert (await parting.desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 0, "no damage"
    (again,) = (await parting.desk.claim()).events
    assert (again.event.id, again.n) == (parting.slow, 2)
    assert not await parting.redis.exists(f"{{p{HOME}}}:parted")
    await parting.desk.assert_well()


async def test_what_is_given_up_at_the_end_goes_back_untouched(parting: Parting) -> None:
    assert await parting.part(parting.slow)
    await parting.desk.open()
    assert await parting.desk.ids() == [parting.quick]
    assert await parting.part()
    assert await parting.ends(parting.slow) == -1
    (again,) = (await parting.desk.claim()).events
    assert (again.event.id, again.n) == (parting.slow, 1)
    assert not await parting.redis.exists(f"{{p{HOME}}}:parted")
    await parting.desk.assert_well()


async def test_a_result_from_outside_ends_what_goes_on(parting: Parting) -> None:
    assert await parting.part(parting.slow)
    await parting.desk.open()
    assert await parting.desk.ids() == [parting.quick]
    await parting.desk.queue.resolve(parting.slow)
    assert await parting.desk.ids() == [parting.behind]
    assert await parting.ends(parting.slow) == 0
    assert await parting.part()
    assert await parting.desk.status(parting.slow) is Status.RESOLVED
    await parting.desk.assert_well()
