"""Cost of scripts where an account, a lane or a list of dead letters is very long: none holds Redis up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from dispatcher.model.status import Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.acting import lane_holds
from dispatcher.store.queue.owning.partition import FORGOTTEN_AT_ONCE, REPAIR_START
from tests.store.desk import HOME, LANE, Desk

MILLION = 1_000_000
MOST_MS = 50.0

MANY = 200_000
"""Members of a sorted set, which take long to make; what a slice costs does not depend on them."""
AT_ONCE = 20_000

_FILL_LIST = """
local ids = {}
for n = ARGV[2], ARGV[3] do
  ids[#ids + 1] = string.format(ARGV[1], n)
  if #ids == 5000 then redis.call('RPUSH', KEYS[1], unpack(ids)); ids = {} end
end
"""
_FILL_SORTED = """
local pairs = {}
for n = ARGV[2], ARGV[3] do
  pairs[#pairs + 1] = n
  pairs[#pairs + 1] = string.format(ARGV[1], n)
  if #pairs == 5000 then redis.call('ZADD', KEYS[1], unpack(pairs)); pairs = {} end
end
"""
OTHERS = "00000000-0000-7000-8000-%012d"


async def fill(redis: Redis, script: str, key: str, how_many: int) -> None:
    for first in range(1, how_many + 1, AT_ONCE):
        arguments = (OTHERS, str(first), str(first + AT_ONCE - 1))
        await redis.eval(script, 1, key, *arguments)  # type: ignore[misc]


@dataclass
class Watch:
    """CPU time of the server's main thread, which nobody else here makes longer, and calls of one command."""

    redis: Redis
    command: str = "evalsha"
    spent_ms: float = 0.0
    calls: int = 0

    async def __aenter__(self) -> Watch:
        self.spent_ms, self.calls = await self._now()
        return self

    async def __aexit__(self, *_: object) -> None:
        spent_ms, calls = await self._now()
        self.spent_ms, self.calls = spent_ms - self.spent_ms, calls - self.calls

    @property
    def each_ms(self) -> float:
        return self.spent_ms / max(1, self.calls)

    async def _now(self) -> tuple[float, int]:
        used, counted = await self.redis.info("cpu"), await self.redis.info("commandstats")
        seconds = sum(float(used[f"used_cpu_{kind}_main_thread"]) for kind in ("user", "sys"))
        return seconds * 1000, int(counted.get(f"cmdstat_{self.command}", {}).get("calls", 0))


async def parked(desk: Desk, how_many: int) -> list[str]:
    """Events of different accounts, held for a URL that answered 410."""
    made = [await desk.emit(f"A{n}") for n in range(how_many)]
    await desk.claim(how_many)
    await desk.queue.suspend_url(LANE, "https://host/x")
    for event_id in made:
        await desk.settle(event_id, Status.HELD)
    return made


async def test_resuming_lets_parked_events_go_a_slice_at_a_time(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_holds, "RESUMED_AT_ONCE", 3)
    desk = await Desk(redis).open()
    made = await parked(desk, 8)
    assert await desk.queue.resume(LANE) == 8
    assert sorted(await desk.ids()) == sorted(made)
    assert await redis.zcard(keys.parked(HOME, LANE)) == 0
    await desk.assert_well()


async def test_what_is_parked_while_a_resume_goes_on_stays_parked(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await parked(desk, 3)
    moved, moment, left = await desk.queue._hold(LANE, "resume", 2, "")
    assert (moved, left) == (2, 1)
    late = await desk.emit("late")
    await desk.claim()
    await desk.queue.suspend_url(LANE, "https://host/x")
    await desk.settle(late, Status.HELD)
    await redis.zadd(keys.parked(HOME, LANE), {late: int(moment) + 1})
    assert (await desk.queue._hold(LANE, "resume", 2, moment))[::2] == (1, 0)
    assert await desk.status(late) is Status.HELD
    assert (await desk.store.suspended_urls(HOME, LANE)).now == {"https://host/x"}


async def test_a_resume_that_broke_off_is_finished_and_counts_as_no_damage(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await parked(desk, 5)
    assert (await desk.queue._hold(LANE, "resume", 2, ""))[2] == 3
    assert (await desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 0
    assert await redis.zcard(keys.parked(HOME, LANE)) == 0
    assert len(await desk.ids()) == 5
    await desk.assert_well()


async def test_parked_events_stay_while_their_url_is_suspended(redis: Redis) -> None:
    desk = await Desk(redis).open()
    (held,) = await parked(desk, 1)
    await desk.store.repair({HOME: REPAIR_START})
    assert await desk.status(held) is Status.HELD
    assert await desk.ids() == []


async def test_no_slice_of_very_many_parked_events_holds_redis_up(redis: Redis) -> None:
    """100,000 were one script of a second."""
    desk = await Desk(redis).open()
    await parked(desk, 100)
    await fill(redis, _FILL_SORTED, keys.parked(HOME, LANE), MANY)
    async with Watch(redis) as watch:
        moved, moment, left = await desk.queue._hold(LANE, "resume", lane_holds.RESUMED_AT_ONCE, "")
        for _ in range(20):
            _, moment, left = await desk.queue._hold(LANE, "resume", lane_holds.RESUMED_AT_ONCE, moment)
    assert (moved, left) == (0, MANY + 100 - 21 * lane_holds.RESUMED_AT_ONCE)
    assert watch.calls == 21
    assert watch.each_ms < MOST_MS
    await redis.unlink(keys.parked(HOME, LANE))


@pytest.mark.parametrize(("where", "most_ms"), [(1, 10.0), (MILLION // 2, MOST_MS), (MILLION, 10.0)])
async def test_an_event_in_the_middle_of_a_million_of_its_account_is_concluded_at_once(
    redis: Redis, where: int, most_ms: float
) -> None:
    desk = await Desk(redis).open()
    first, mine, last = await desk.emit("A"), await desk.emit("A"), await desk.emit("A")
    group = keys.group(HOME, LANE, "A")
    await redis.delete(group)
    await redis.rpush(group, first)  # type: ignore[misc]
    await fill(redis, _FILL_LIST, group, MILLION)
    await redis.rpush(group, last)  # type: ignore[misc]
    await redis.lset(group, where, mine)  # type: ignore[misc]
    for event_id, sequence in ((mine, where), (last, MILLION + 1)):
        await redis.hset(keys.event(HOME, event_id), "state", f'{{"s":"QUEUED","c":1,"q":{sequence}}}')  # type: ignore[misc]
    async with Watch(redis) as watch:
        await desk.queue.resolve(mine)
    assert watch.spent_ms < most_ms
    assert await redis.lpos(group, mine) is None  # type: ignore[misc]
    assert await redis.llen(group) == MILLION + 1  # type: ignore[misc]
    await redis.unlink(group)


async def test_groups_that_were_deleted_by_hand_are_put_together_again_without_holding_redis_up(redis: Redis) -> None:
    desk = await Desk(redis).open()
    made = [await desk.emit("A") for _ in range(500)]
    await redis.delete(keys.group(HOME, LANE, "A"), keys.due(HOME, LANE))
    async with Watch(redis) as watch:
        _, repairs = (await desk.store.repair({HOME: REPAIR_START}))[HOME]
    assert watch.spent_ms < MOST_MS
    assert repairs >= 500
    assert await redis.lrange(keys.group(HOME, LANE, "A"), 0, -1) == [one.encode() for one in made]  # type: ignore[misc]
    await desk.assert_well()


async def test_very_many_old_dead_letters_are_forgotten_in_pieces(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await fill(redis, _FILL_SORTED, keys.dead(HOME), MANY)
    await redis.zadd(keys.dead(HOME), {"young": 1_900_000_000_000})
    async with Watch(redis, "zrem") as watch:
        await desk.store.trim(HOME, 1_900_000_000_000)
    assert watch.calls == MANY // FORGOTTEN_AT_ONCE
    assert watch.each_ms < MOST_MS
    assert await redis.zrange(keys.dead(HOME), 0, -1) == [b"young"]
