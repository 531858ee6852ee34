"""Keys that are lost while their partition is owned cost a repair, never the order, a place or a partition."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.store.desk import HOME, Desk
from tests.waiting import until


async def test_a_generation_never_comes_again_though_its_key_was_lost(redis: Redis) -> None:
    """Symptom: counted from 1 again, it let the old owner and the new one in; both sent the events of an account."""
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await desk.ids()
    await redis.delete(f"{{p{HOME}}}:own")

    async def later() -> bool:
        seconds, microseconds = await redis.time()
        return bool(seconds * 1000 + microseconds // 1000 > desk.generation)

    await until(later)
    newer = await desk.store.grant(HOME, 3000)
    assert newer > desk.generation
    assert await desk.store.own(HOME, newer, "w2")
    assert await desk.settle(event_id, Status.SUCCEEDED) == -1
    with pytest.raises(AssertionError):
        await desk.claim()
    desk.worker.generations[HOME] = newer
    assert [(c.event.id, c.n) for c in (await desk.claim()).events] == [(event_id, 2)]
    await desk.assert_well()


async def test_counters_of_lanes_are_put_right_after_keys_that_they_count_were_lost(redis: Redis) -> None:
    """Symptoms: a lane whose claims were deleted stayed full for good; `waiting` stayed above zero."""
    desk = await Desk(redis).open()
    ids = [await desk.emit("A") for _ in range(5)]
    assert await desk.ids() == ids[:1]
    prefix = f"{{p{HOME}}}:"
    (lane_key,) = [key async for key in redis.scan_iter(match=prefix + "l:*")]
    (group_key,) = [key async for key in redis.scan_iter(match=prefix + "k:*")]
    assert await desk.store.repair_lanes([HOME]) == {}
    await redis.delete(prefix + "flight", group_key)
    for _ in range(2):
        await desk.store.repair({HOME: REPAIR_START})
    assert await desk.store.repair_lanes([HOME]) == {HOME: 1}
    assert await redis.hget(lane_key, "busy") == b"0"  # type: ignore[misc]
    for event_id in ids:
        assert await desk.ids() == [event_id]
        await desk.settle(event_id, Status.SUCCEEDED)
    await desk.store.repair_lanes([HOME])
    overview = await desk.queue.overview()
    assert (overview.ready, overview.waiting, overview.in_flight) == (0, 0, 0)
    assert (await desk.queue.counters())["repairs:counter"] == 2
    assert await desk.store.repair_lanes([HOME]) == {}
    await desk.assert_well()


async def test_a_partition_is_quiet_only_while_nothing_is_open_and_its_counts_say_so_too(redis: Redis) -> None:
    """Keys that are lost make it anything but quiet: then it is repaired each second."""
    desk = await Desk(redis).open()
    assert await desk.store.quiet([HOME]) == {HOME}, "nothing was ever accepted"
    event_id = await desk.emit("A")
    assert await desk.store.quiet([HOME]) == set()
    await redis.delete(f"{{p{HOME}}}:open")
    assert await desk.store.quiet([HOME]) == set(), "what is open was lost"
    assert (await desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 1
    await desk.ids()
    await desk.settle(event_id, Status.SUCCEEDED)
    assert await desk.store.quiet([HOME]) == {HOME}
    await redis.delete(f"{{p{HOME}}}:counts")
    assert await desk.store.quiet([HOME]) == {HOME}, "as many were accepted as have ended"
    await desk.emit("A")
    await redis.delete(f"{{p{HOME}}}:open", f"{{p{HOME}}}:counts")
    assert await desk.store.quiet([HOME]) == {HOME}, "what the passes that come seldom are for"
    assert (await desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 1
