"""Work that is due at a time goes to one taker, and comes back when that one is lost."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.store.definitions.schedule.due import HELD_MS, DueStore
from dispatcher.store.keys import definitions as keys

KINDS = (keys.PINGS_DUE, keys.ROTATIONS_DUE)


@pytest.fixture(params=KINDS)
def due(request: pytest.FixtureRequest, redis: Redis) -> DueStore:
    return DueStore(redis, request.param)


async def test_each_kind_has_its_own_times(redis: Redis) -> None:
    pings, rotations = (DueStore(redis, key) for key in KINDS)
    await pings.at("a", 0)
    await rotations.at("b", 0)
    assert (await pings.take(10)).ids == ("a",)
    assert (await rotations.take(10)).ids == ("b",)


async def test_what_is_due_is_taken_once_the_longest_overdue_first(due: DueStore) -> None:
    for n in range(6):
        await due.at(f"i{n}", 6 - n)
    taken = await asyncio.gather(due.take(2), due.take(2), due.take(2), due.take(2))
    assert sorted(one for each in taken for one in each.ids) == [f"i{n}" for n in range(6)]
    assert taken[0].ids == ("i5", "i4")


async def test_what_is_not_due_yet_is_left(due: DueStore) -> None:
    await due.at("a", 0)
    now_ms = (await due.take(10)).now_ms
    await due.at("b", now_ms + 60_000)
    assert (await due.take(10)).ids == ()


async def test_what_was_taken_is_held_for_its_taker_a_minute(due: DueStore, redis: Redis) -> None:
    await due.at("a", 0)
    taken = await due.take(10)
    scores = [await redis.zscore(key, "a") for key in KINDS]
    assert taken.now_ms + HELD_MS in scores


async def test_putting_off_moves_what_is_planned_and_plans_nothing(due: DueStore) -> None:
    await due.at("a", 0)
    await due.put_off("a", 10**14)
    await due.put_off("b", 0)
    assert (await due.take(10)).ids == ()
    await due.at("a", 0)
    assert (await due.take(10)).ids == ("a",)


async def test_dropped_is_never_due(due: DueStore) -> None:
    await due.at("a", 0)
    await due.drop("a")
    await due.drop("a")
    assert (await due.take(10)).ids == ()


async def test_done_is_dropped_unless_it_was_planned_anew_meanwhile(due: DueStore) -> None:
    for name in ("done", "again"):
        await due.at(name, 0)
    taken = await due.take(10)
    await due.at("again", 1)
    for name in taken.ids:
        await due.done(name, taken)
    assert (await due.ids(), (await due.take(10)).ids) == (["again"], ("again",))
