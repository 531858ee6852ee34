"""The history in a real store: rings that go round, what several workers add, and its bounds."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.model.attempt import Outcome
from dispatcher.policy.figures.history import FLEET, LANE, Window, rolled_up, total, window
from dispatcher.policy.figures.tally import Figures, count, count_attempt, no_figures, observed
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LANE_BYTES, SLOT_BYTES, LaneHistory, Slot
from dispatcher.store.history.sampled import SampledCounters
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys

START_MS = 1_800_000_000_000
SECONDS, MINUTES, HOURS = FLEET
BUSY_BYTES = 25_000


def accepted(n: int) -> Figures:
    figures = no_figures()
    figures[0] = n
    return figures


def busy(n: int) -> Figures:
    """Figures that fill every bucket."""
    figures = [n] * len(no_figures())
    count_attempt(figures, Outcome.TIMEOUT, 3.0, 0.2)
    return figures


async def seen(history: FleetHistory, resolution: int, from_ms: int, to_ms: int) -> list[int]:
    asked = window(FLEET[resolution:], to_ms, from_ms, to_ms, FLEET[resolution].seconds)
    return [count(figures, "accepted") for figures in rolled_up(await history.read(asked), asked)]


async def test_workers_add_to_the_same_spans(redis: Redis) -> None:
    fleet = [FleetHistory(redis) for _ in range(3)]
    await asyncio.gather(*(one.add(START_MS + 100, accepted(n)) for n, one in enumerate(fleet, 1)))
    await fleet[0].add(START_MS + 1000, accepted(10))
    assert await seen(fleet[0], 0, START_MS, START_MS + 1999) == [6, 10]
    assert await seen(fleet[0], 1, START_MS, START_MS + 1999) == [16]
    assert await seen(fleet[0], 2, START_MS, START_MS + 1999) == [16]


async def test_a_ring_goes_round_and_shows_no_old_span_for_a_new_one(redis: Redis) -> None:
    fleet = FleetHistory(redis)
    later = START_MS + SECONDS.kept_s * 1000
    await fleet.add(START_MS, accepted(5))
    await fleet.add(START_MS + 1000, accepted(6))
    await fleet.add(later, accepted(7))
    assert await seen(fleet, 0, later, later + 1) == [7]
    assert await seen(fleet, 0, later + 1000, later + 1001) == [0]
    await fleet.add(START_MS, accepted(9))  # so late that its place is taken
    assert await seen(fleet, 0, later, later + 1) == [7]
    assert await redis.hlen(deployment_keys.fleet_history("seconds")) == 2  # type: ignore[misc]


async def test_the_fleets_rings_are_bounded(redis: Redis) -> None:
    fleet = FleetHistory(redis)
    for second in range(SECONDS.slots + 50):
        await fleet.add(START_MS + second * 1000, accepted(1))
    assert await redis.hlen(deployment_keys.fleet_history("seconds")) == SECONDS.slots  # type: ignore[misc]
    whole = window(FLEET, START_MS + 649_000, START_MS + 50_000, None, 1)
    assert total(rolled_up(await fleet.read(whole), whole))[0] == SECONDS.slots


async def test_what_was_sampled_last_is_known_to_the_next_owner(redis: Redis) -> None:
    sampled = SampledCounters(redis)
    await redis.hset(queue_keys.counters(1), mapping={"accepted": 3, "attempts:OK": 2, "odd": 1})  # type: ignore[misc]
    now = await sampled.now([0, 1])
    assert [count(now[partition], "accepted") for partition in (0, 1)] == [0, 3]
    await sampled.keep({1: now[1]})
    assert await SampledCounters(redis).last([0, 1]) == {0: no_figures(), 1: now[1]}


async def test_a_lane_is_read_as_it_was_written(redis: Redis) -> None:
    lanes, lane = LaneHistory(redis), (1, "L")
    minute = LANE[0].span_at(START_MS)
    for one in LANE:
        await lanes.write([Slot(lane, one, one.span_at(START_MS), busy(3), True)])
    found = await lanes.read_slots([(lane, one, one.span_at(START_MS)) for one in LANE])
    assert [observed(figures or [], "latency") for figures in found] == [16 * 3 + 1] * len(LANE)
    assert await lanes.read_slots([(lane, LANE[0], minute + LANE[0].slots)]) == [None]
    assert await lanes.active(range(2), START_MS - 60_000) == [lane]
    assert await lanes.active(range(2), START_MS + 60_000) == []


async def test_a_busy_lane_takes_25_kb_and_redis_keeps_it_in_one_piece(redis: Redis) -> None:
    lanes, lane = LaneHistory(redis), (0, "L" * 36)
    for one in LANE:
        first = one.span_at(START_MS)
        await lanes.write([Slot(lane, one, first + i, busy((1 << 28) - 5), True) for i in range(one.slots)])
    rings = [key async for key in redis.scan_iter("{p0}:hist:*")]
    assert len(rings) == 4
    assert {await redis.object("encoding", key) for key in rings} == {b"listpack"}
    sizes = [await redis.memory_usage(key, 0) for key in rings]
    assert sum(size or 0 for size in sizes) <= LANE_BYTES <= BUSY_BYTES
    assert all([await redis.ttl(key) > 0 for key in rings])
    asked = Window(LANE[1], START_MS - START_MS % 3_600_000, 3600, LANE[1].slots)
    assert len((await lanes.read([lane], asked))[lane]) == LANE[1].slots


@pytest.mark.parametrize(("room", "left"), [(4, "hd hd mhd mhd"), (1, "d d hd hd")])
async def test_the_coldest_minutes_go_first(redis: Redis, room: int, left: str) -> None:
    lanes = LaneHistory(redis)
    for place, name in enumerate("abcd"):
        for one in LANE:
            first = one.span_at(START_MS + place * 60_000)
            spans = range(one.slots if room > 1 else 1)
            await lanes.write([Slot((0, name), one, first - i, busy(1), True) for i in reversed(spans)])
    budget = 4 * LANE_BYTES - 200 * SLOT_BYTES if room > 1 else 6 * SLOT_BYTES
    gone = await lanes.trim(0, budget, START_MS + 300_000)
    assert gone
    kept = dict.fromkeys("abcd", "")
    for name in kept:
        for letter in "mhd":
            if await redis.exists(f"{{p0}}:hist:{letter}0:{name}"):
                kept[name] += letter
    assert " ".join(kept.values()) == left


async def test_nothing_goes_while_there_is_room(redis: Redis) -> None:
    lanes = LaneHistory(redis)
    await lanes.write([Slot((0, "a"), LANE[0], LANE[0].span_at(START_MS), busy(1), True)])
    assert await lanes.trim(0, LANE_BYTES, START_MS) == 0
    assert await lanes.trim(0, 0, START_MS) == 1
