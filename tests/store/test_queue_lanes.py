"""Holds on a lane: its cap, a pause, what is parked, its rate; and what wakes its owner."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, Pause, Reason
from dispatcher.model.status import Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import Move
from dispatcher.store.redis.server_time import server_now_ms
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk
from tests.store_commands import counted


async def test_a_lane_never_runs_more_than_its_cap(redis: Redis) -> None:
    desk = await Desk(redis).open()
    for _ in range(5):
        await desk.emit(None)
    await redis.hset(f"{{p{HOME}}}:l:{LANE}", "cap", "2")  # type: ignore[misc]
    taken = await desk.ids()
    assert len(taken) == 2
    assert await desk.ids() == []
    why = await desk.queue.explain(next(iter(set(await _waiting(desk)) - set(taken))))
    assert why is not None
    assert why.reason is Reason.CONCURRENCY
    await desk.settle(taken[0], Status.SUCCEEDED)
    assert len(await desk.ids()) == 1
    await desk.assert_well()


async def _waiting(desk: Desk) -> list[str]:
    page = await desk.queue.page(EventFilter(), None, 100)
    return [item.event.id for item in page.items]


async def test_a_released_event_is_as_if_it_had_not_been_claimed(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await desk.ids()
    await desk.settle(event_id, Move.RELEASE)
    stored = await desk.queue.get(event_id)
    assert stored is not None
    assert (stored.state.status, stored.state.attempts) == (Status.QUEUED, 0)
    assert await desk.ids() == [event_id]


async def test_a_pause_ends_by_itself(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    now_ms = await server_now_ms(redis)
    await desk.queue.pause(LANE, Pause("ops", "deploy", now_ms + 600_000))
    assert await desk.ids() == []
    claim = await desk.claim()
    assert claim.next_due_ms == now_ms + 600_000
    why = await desk.queue.explain(event_id)
    assert why is not None
    assert (why.reason, why.until_ms, why.detail) == (Reason.PAUSED, now_ms + 600_000, "by ops: deploy")
    await desk.emit("B")
    assert await desk.ids() == []
    await desk.queue.pause(LANE, Pause("ops", "over", now_ms))
    why = await desk.queue.explain(event_id)
    assert why is not None
    assert why.reason is not Reason.PAUSED
    (lane,) = (await desk.queue.overview()).lanes
    assert (lane.paused, lane.pause) == (False, Pause())
    assert event_id in await desk.ids()
    kept = await redis.hkeys(keys.lane(HOME, LANE))  # type: ignore[misc]
    assert not {b"paused", b"pause", b"pause_until"} & set(kept)
    await desk.assert_well()


async def test_a_pause_without_an_end_takes_the_place_of_one_with(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await desk.emit("A")
    now_ms = await server_now_ms(redis)
    await desk.queue.pause(LANE, Pause(until_ms=now_ms + 600_000))
    await desk.queue.pause(LANE)
    claim = await desk.claim()
    assert (claim.events, claim.next_due_ms) == ([], None)


async def test_a_pause_that_ended_while_nothing_was_there_is_forgotten(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await desk.queue.pause(LANE, Pause("ops", "deploy", await server_now_ms(redis)))
    await desk.store.repair_lanes([HOME])
    assert await redis.hexists(keys.lane(HOME, LANE), "paused") is False  # type: ignore[misc]
    event_id = await desk.emit("A")
    assert await desk.ids() == [event_id]


async def test_what_is_parked_comes_back_in_order_on_resume(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first, second = await desk.emit("A"), await desk.emit("A")
    await desk.ids()
    await desk.queue.suspend_url(LANE, "https://host/x")
    await desk.settle(first, Status.HELD)
    assert await desk.status(first) is Status.HELD
    assert (await desk.store.suspended_urls(HOME, LANE)).now == {"https://host/x"}
    await desk.assert_well()
    assert await desk.queue.resume(LANE) == 1
    assert await desk.ids() == [first]
    await desk.settle(first, Status.SUCCEEDED)
    assert await desk.ids() == [second]
    await desk.assert_well()


async def test_a_paused_lane_accepts_and_holds(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await desk.queue.pause(LANE)
    event_id = await desk.emit("A")
    assert await desk.ids() == []
    why = await desk.queue.explain(event_id)
    assert why is not None
    assert why.reason is Reason.PAUSED
    await desk.queue.resume(LANE)
    assert await desk.ids() == [event_id]


async def test_a_rate_is_never_exceeded(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await redis.hset(f"{{p{HOME}}}:l:{LANE}", "rate", "0.1")  # type: ignore[misc]
    for _ in range(10):
        await desk.emit(None)
    first = await desk.claim()
    assert len(first.events) <= 2
    assert first.next_due_ms is not None
    assert 0 < first.next_due_ms - first.now_ms <= 10_000
    assert await desk.ids() == []


async def test_the_sleeping_owner_is_nudged_by_an_accept(redis: Redis) -> None:
    desk = await Desk(redis).open()
    assert await desk.ids() == []
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe("dispatcher:nudge:w1")
        await desk.emit("A")
        await desk.emit("B")
        heard = [m for _ in range(6) if (m := await pubsub.get_message(timeout=0.1)) and m["type"] == "message"]
    assert [m["data"] for m in heard] == [str(HOME).encode()]


async def test_some_lanes_are_counted_as_the_overview_counts_them_and_no_other_is_looked_at(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await desk.emit("A")
    await desk.queue.pause("other", Pause("ops", "deploy", None))
    every = {view.integration_id: view for view in (await desk.queue.overview()).lanes}
    assert await desk.queue.lanes(["other", LANE, LANE, "unknown"]) == every
    assert await desk.queue.lane("other") == every["other"]
    assert await desk.queue.lane("unknown") is None
    async with counted(redis) as commands:
        await desk.queue.lanes([LANE])
    assert commands.calls["smembers"] == 0


async def test_a_lane_in_which_nothing_is_costs_the_overview_nothing(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await redis.sadd(f"{{p{HOME}}}:known", *(f"idle-{n}" for n in range(500)))  # type: ignore[misc]
    assert await desk.store.repair_lanes([HOME]) == {}
    async with counted(redis) as commands:
        (lane,) = (await desk.queue.overview()).lanes
    assert lane.integration_id == LANE
    assert commands.total < 100
    await desk.ids()
    await desk.settle(event_id, Status.SUCCEEDED)
    await desk.store.repair_lanes([HOME])
    assert await redis.scard(f"{{p{HOME}}}:known") == 0  # type: ignore[misc]


async def test_a_lane_that_was_forgotten_is_shown_when_it_is_held_or_has_work(redis: Redis) -> None:
    desk = await Desk(redis).open()

    async def shown() -> bool:
        return bool((await desk.queue.overview()).lanes)

    await desk.queue.pause(LANE)
    await desk.store.repair_lanes([HOME])
    assert await shown()
    await desk.queue.resume(LANE)
    await desk.queue.suspend_url(LANE, "https://host.example")
    await desk.store.repair_lanes([HOME])
    assert await shown()
    await desk.queue.resume(LANE)
    await desk.store.repair_lanes([HOME])
    assert not await shown()
    first, _ = await desk.emit("A"), await desk.emit("A")
    assert await shown()
    await desk.ids()
    await desk.settle(first, Status.AWAITING_RESULT, 1000)
    await desk.store.repair_lanes([HOME])
    await desk.queue.resolve(first)
    assert await shown()


async def test_notifications_of_a_forgotten_lane_are_shown(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit(None)
    await desk.ids()
    await desk.settle(event_id, Status.AWAITING_RESULT, 1000)
    await desk.store.repair_lanes([HOME])
    await desk.queue.resolve(event_id, event_of(LANE, PARTITIONS, "A", EventType.SUBSCRIPTION_STATUS))
    (lane,) = (await desk.queue.overview()).lanes
    assert lane.ready == 1


@pytest.mark.parametrize("rate", [3, 9, 12, 14, 17, 0.3, 33, 1000])
async def test_whatever_the_rate_the_first_event_goes_at_once(redis: Redis, rate: float) -> None:
    """Symptom: at 3, 9, 12, 14 or 17 a second nothing was ever claimed: a gap was rounded in a sum of epoch ms."""
    desk = await Desk(redis).open()
    await redis.hset(f"{{p{HOME}}}:l:{LANE}", "rate", str(rate))  # type: ignore[misc]
    event_id = await desk.emit("A")
    assert await desk.ids() == [event_id]
    await desk.assert_well()
