"""Troubled lanes and dead letters by cause: kept by the scripts, read at a cost that does not grow with all lanes."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.ids import partition_of_lane
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from dispatcher.model.troubles import Cause, Issue, TroubledLane
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import LaneSetting, Settlement
from dispatcher.store.queue.watching.troubles import Pulse, Troubles
from dispatcher.store.redis.server_time import server_now_ms
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk
from tests.store.test_script_cost import Watch

MANY_LANES = 10_000
MOST_MS = 2.0
URL = "https://host/x"


class Scene:
    """One lane, whose attempts end as a test says."""

    def __init__(self, redis: Redis) -> None:
        self.desk = Desk(redis, lane_cap=2000)
        self.troubles = Troubles(redis, PARTITIONS)

    async def tries(self, outcome: Outcome, to: Status, times: int = 1, error: str | None = None) -> list[str]:
        """So many events of accounts of their own, each attempted once, in one settlement."""
        events = [event_of(LANE, PARTITIONS, None) for _ in range(times)]
        made = [receipt.id for receipt in await self.desk.queue.accept(events)]
        claimed = {one.event.id: one for one in (await self.desk.claim(1000)).events}
        status = 500 if outcome is Outcome.HTTP_ERROR else None
        settlements = [
            Settlement(
                claimed[one],
                to,
                3_600_000,
                Attempt(1, 1, 1.0, URL, outcome, status),
                "TRANSPORT_ERROR" if error else None,
                error,
            )
            for one in made
        ]
        assert await self.desk.worker.settle(HOME, settlements) == times
        return made

    async def lane(self) -> TroubledLane | None:
        found = [lane async for lane in self.troubles.lanes([HOME])]
        assert len(found) <= 1
        return found[0] if found else None

    async def issues(self) -> list[Issue]:
        return await self.troubles.issues()

    async def pulse(self) -> Pulse:
        return (await self.troubles.pulses())[HOME]


@pytest.fixture
async def scene(redis: Redis) -> Scene:
    made = Scene(redis)
    await made.desk.open()
    return made


async def test_a_success_writes_nothing_of_a_lane_that_is_well(scene: Scene, redis: Redis) -> None:
    await scene.tries(Outcome.OK, Status.SUCCEEDED, 3)
    assert await redis.exists(keys.trouble(HOME, LANE), keys.troubled(HOME), keys.issues(HOME)) == 0


async def test_failures_in_a_row_are_counted_until_an_attempt_goes_well(scene: Scene) -> None:
    await scene.tries(Outcome.CONNECT_FAILED, Status.RETRYING, 2, "no connection: Connection refused")
    await scene.tries(Outcome.HTTP_ERROR, Status.RETRYING, 3, "HTTP 500")
    lane = await scene.lane()
    assert lane is not None
    assert (lane.failures_in_a_row, lane.same_in_a_row) == (5, 3)
    assert (lane.attempts, lane.failures) == (5, 5)
    assert lane.cause == Cause("HTTP_ERROR", 500, "HTTP 500")
    assert lane.failing_since_ms is not None
    await scene.tries(Outcome.OK, Status.SUCCEEDED)
    lane = await scene.lane()
    assert lane is not None
    assert (lane.failures_in_a_row, lane.failing_since_ms) == (0, None)
    assert (lane.attempts, lane.failures) == (6, 5)


async def test_a_lane_that_is_well_again_leaves_the_list_with_all_that_was_counted(scene: Scene, redis: Redis) -> None:
    await scene.tries(Outcome.HTTP_ERROR, Status.RETRYING, 1, "HTTP 500")
    await scene.tries(Outcome.OK, Status.SUCCEEDED)
    assert await scene.lane() is not None
    counts = await redis.hkeys(keys.trouble(HOME, LANE))  # type: ignore[misc]
    await redis.hdel(keys.trouble(HOME, LANE), *[one for one in counts if one[:1] == b"f"])  # type: ignore[misc]
    assert await scene.lane() is None
    assert await redis.exists(keys.trouble(HOME, LANE), keys.troubled(HOME)) == 0


async def test_counts_of_minutes_that_are_over_are_dropped(scene: Scene, redis: Redis) -> None:
    await redis.hset(keys.trouble(HOME, LANE), mapping={"a1": 5, "f1": 5})  # type: ignore[misc]
    await scene.tries(Outcome.HTTP_ERROR, Status.RETRYING, 1, "HTTP 500")
    lane = await scene.lane()
    assert lane is not None
    assert lane.attempts == 1
    assert not await redis.hexists(keys.trouble(HOME, LANE), "a1")  # type: ignore[misc]


async def test_the_newest_minute_is_told_apart(scene: Scene, redis: Redis) -> None:
    await scene.tries(Outcome.HTTP_ERROR, Status.RETRYING, 3, "HTTP 500")
    newest = await server_now_ms(redis) // 60_000 + 1
    counts = {f"a{newest}": 20, f"f{newest}": 1}
    await redis.hset(keys.trouble(HOME, LANE), mapping=counts)  # type: ignore[misc]
    lane = await scene.lane()
    assert lane is not None
    assert (lane.attempts, lane.failures, lane.newest_attempts, lane.newest_failures) == (23, 4, 20, 1)


async def test_holds_and_limits_put_a_lane_on_the_list(scene: Scene) -> None:
    await scene.desk.queue.pause(LANE)
    lane = await scene.lane()
    assert lane is not None
    assert lane.pause is not None
    await scene.desk.queue.resume(LANE)
    assert await scene.lane() is None
    await scene.desk.queue.suspend_url(LANE, URL)
    lane = await scene.lane()
    assert lane is not None
    assert lane.suspended_urls == 1
    assert lane.suspended_since_ms is not None
    await scene.desk.queue.resume(LANE)
    await scene.desk.worker.settle(HOME, [], [LaneSetting(LANE, "circuit", 5), LaneSetting(LANE, "opened", 4)])
    lane = await scene.lane()
    assert lane is not None
    assert (lane.circuit_since_ms, lane.next_try_ms) == (4, 5)
    await scene.desk.worker.settle(HOME, [], [LaneSetting(LANE, "circuit", None), LaneSetting(LANE, "opened", None)])
    assert await scene.lane() is None


async def test_lanes_that_were_held_before_the_list_was_kept_come_on_it(scene: Scene, redis: Redis) -> None:
    await scene.desk.emit("A")
    await scene.desk.queue.pause(LANE)
    await redis.delete(keys.troubled(HOME))
    await scene.desk.store.repair_lanes([HOME])
    assert await scene.lane() is not None


async def test_dead_letters_are_counted_by_cause_and_leave_with_redelivery_and_resolution(scene: Scene) -> None:
    first, second, _ = await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 3, "HTTP 503")
    await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 1, "HTTP 500")
    counts = {issue.error: issue.count for issue in await scene.issues()}
    assert counts == {"HTTP 503": 3, "HTTP 500": 1}
    await scene.desk.queue.redeliver(first, None)
    await scene.desk.queue.resolve(second)
    assert {issue.error: issue.count for issue in await scene.issues()} == {"HTTP 503": 1, "HTTP 500": 1}
    await scene.desk.assert_well()


async def test_ten_thousand_failures_of_one_cause_are_one_issue(scene: Scene) -> None:
    for _ in range(10):
        await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 1000, "HTTP 503")
    assert [issue.count for issue in await scene.issues()] == [10_000]


async def test_an_acknowledged_issue_stays_so_until_an_attempt_went_well(scene: Scene) -> None:
    await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 2, "HTTP 503")
    assert await scene.troubles.acknowledge([issue.id for issue in await scene.issues()]) == 1
    await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 1, "HTTP 503")
    (known,) = await scene.issues()
    assert (known.count, known.acknowledged) == (3, True)
    await scene.tries(Outcome.OK, Status.SUCCEEDED)
    await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 1, "HTTP 503")
    (new,) = await scene.issues()
    assert (new.count, new.acknowledged) == (1, False)


async def test_acknowledging_what_has_gone_changes_nothing(scene: Scene) -> None:
    assert await scene.troubles.acknowledge(["0123456789abcdef"]) == 0


async def test_old_dead_letters_take_their_issue_with_them(scene: Scene) -> None:
    await scene.tries(Outcome.HTTP_ERROR, Status.DEAD, 1, "HTTP 503")
    (issue,) = await scene.issues()
    await scene.desk.store.trim(HOME, issue.last_ms + 1)
    assert len(await scene.issues()) == 1
    await scene.desk.store.trim(HOME, issue.last_ms + 3_600_000 + 1)
    assert await scene.issues() == []


async def test_very_many_causes_are_told_apart_up_to_a_bound(scene: Scene) -> None:
    await scene.desk.queue.accept([event_of(LANE, PARTITIONS, None) for _ in range(1010)])
    claimed = (await scene.desk.claim(2000)).events
    settlements = [
        Settlement(one, Status.DEAD, 0, Attempt(1, 1, 1.0, URL, Outcome.HTTP_ERROR), "TRANSPORT_ERROR", f"odd {n}")
        for n, one in enumerate(claimed)
    ]
    for at in range(0, len(settlements), 500):
        await scene.desk.worker.settle(HOME, settlements[at : at + 500])
    issues = await scene.issues()
    assert len(issues) == 1001
    assert sum(issue.count for issue in issues) == len(claimed)


async def test_a_lane_is_disabled_only_if_it_still_fails_since_then(scene: Scene) -> None:
    await scene.tries(Outcome.HTTP_ERROR, Status.RETRYING, 1, "HTTP 500")
    lane = await scene.lane()
    assert lane is not None
    assert lane.failing_since_ms is not None
    assert not await scene.desk.queue.disable(LANE, lane.failing_since_ms - 1)
    assert await scene.desk.queue.disable(LANE, lane.failing_since_ms)
    assert not await scene.desk.queue.disable(LANE, lane.failing_since_ms)
    lane = await scene.lane()
    assert lane is not None
    assert lane.disabled_ms is not None
    await scene.desk.emit("A")
    assert await scene.desk.ids() == []
    await scene.desk.queue.resume(LANE)
    lane = await scene.lane()
    assert lane is not None
    assert (lane.disabled_ms, lane.pause, lane.failing_since_ms) == (None, None, None)
    assert len(await scene.desk.ids()) == 1


async def test_a_pulse_says_what_is_open_late_and_accounted_for(scene: Scene, redis: Redis) -> None:
    await scene.desk.emit("A")
    await scene.desk.emit("A")
    pulse = await scene.pulse()
    assert (pulse.open, pulse.accepted, pulse.imbalance, pulse.late) == (2, 2, 0, 0)
    await redis.zadd(keys.lanes(HOME), {LANE: 1000})
    await redis.zadd(keys.due(HOME, LANE), {(await redis.zrange(keys.due(HOME, LANE), 0, 0))[0]: 1000})
    pulse = await scene.pulse()
    assert (pulse.late, pulse.late_since_ms, pulse.claimable_since_ms) == (1, 1000, 1000)


async def test_no_script_of_a_look_holds_redis_up_at_ten_thousand_lanes(redis: Redis) -> None:
    """Every lane known, a tenth of them troubled, all in one partition."""
    desk = await Desk(redis, partitions=1).open()
    lanes = [f"00000000-0000-4000-8000-{n:012d}" for n in range(MANY_LANES)]
    for at in range(0, MANY_LANES, 500):
        await desk.queue.accept([event_of(lane, 1) for lane in lanes[at : at + 500]])
    assert partition_of_lane(lanes[0], 1) == 0
    for lane in lanes[: MANY_LANES // 10]:
        await desk.queue.pause(lane)
    troubles = Troubles(redis, 1)
    await troubles.pulses()
    async with Watch(redis) as watch:
        (pulse,) = await troubles.pulses()
    assert (pulse.open, pulse.troubled) == (MANY_LANES, MANY_LANES // 10)
    assert watch.each_ms < MOST_MS
    async with Watch(redis) as watch:
        found = [lane.integration_id async for lane in troubles.lanes([0])]
    assert set(found) == set(lanes[: MANY_LANES // 10])
    assert watch.calls >= len(found) // 200
    assert watch.each_ms < MOST_MS
