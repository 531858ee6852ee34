"""Time that events stay: those that ended for the retention time, all others for as long as they take."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from tests.store.desk import HOME, Desk

RETENTION_MS = 60_000
LATER_MS = RETENTION_MS + 200


async def short(redis: Redis) -> Desk:
    """A desk whose events stay for a minute only."""
    return await Desk(redis, retention_ms=RETENTION_MS).open()


async def later(desk: Desk) -> None:
    """As if a little more than the retention time had passed: for what expires, and for its owner, who trims."""
    async for key in desk.client.scan_iter():
        left_ms = await desk.client.pttl(key)
        if left_ms >= 0:
            await desk.client.pexpire(key, left_ms - LATER_MS)
    seconds, microseconds = await desk.client.time()
    await desk.store.trim(HOME, seconds * 1000 + microseconds // 1000 + LATER_MS)


async def test_an_event_that_ended_is_gone_after_the_retention_time_and_the_count_still_agrees(redis: Redis) -> None:
    desk = await short(redis)
    done, dead = await desk.emit("A"), await desk.emit("B")
    await desk.ids()
    await desk.settle(done, Status.SUCCEEDED)
    await desk.settle(dead, Status.DEAD)
    assert {await desk.status(done), await desk.status(dead)} == {Status.SUCCEEDED, Status.DEAD}
    await later(desk)
    assert [await desk.queue.get(event_id) for event_id in (done, dead)] == [None, None]
    assert (await desk.queue.page(EventFilter(), None, 10)).items == []
    assert (await desk.queue.overview()).dead_letters == 0
    await desk.assert_well()


async def test_an_event_that_has_not_ended_outlives_the_retention_time(redis: Redis) -> None:
    desk = await short(redis)
    waiting, behind = await desk.emit("A"), await desk.emit("A")
    await later(desk)
    await desk.assert_well()
    assert await desk.ids() == [waiting]
    await desk.settle(waiting, Status.SUCCEEDED)
    assert await desk.ids() == [behind]
    await desk.assert_well()


async def test_a_redelivered_event_stays_until_it_has_ended_again(redis: Redis) -> None:
    desk = await short(redis)
    event_id = await desk.emit("A")
    await desk.ids()
    await desk.settle(event_id, Status.DEAD)
    await desk.queue.redeliver(event_id, 1)
    await later(desk)
    assert await desk.ids() == [event_id]
    await desk.settle(event_id, Status.SUCCEEDED)
    assert await desk.status(event_id) is Status.SUCCEEDED
    await desk.assert_well()
