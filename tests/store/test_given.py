"""Events that an accept claims for a sleeping owner: given at once, never to nobody, no more than it has room for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from dispatcher.model.status import Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import Claim, Move
from dispatcher.store.queue.owning.codec import Given, read_claim, read_given
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk


@asynccontextmanager
async def _heard(redis: Redis, desk: Desk) -> AsyncIterator[PubSub]:
    async with redis.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(keys.nudge_channel(desk.worker.name))
        while (await heard.get_message(timeout=30)) is not None:
            pass
        yield heard


async def _next(heard: PubSub) -> bytes:
    async with asyncio.timeout(30):
        while (message := await heard.get_message(timeout=1)) is None:
            pass
    data: bytes = message["data"]
    return data


def _read(given: Given, desk: Desk) -> Claim:
    claim = read_claim(given.reply)
    assert claim is not None
    desk.claimed |= {one.event.id: one for one in claim.events}
    return claim


async def _sleep(desk: Desk, room: int) -> None:
    """The owner asks, finds nothing, and sleeps."""
    call = desk.store.claim_call(desk.home, desk.generation, 10, up_to=room)
    claim = read_claim((await desk.store.round_trip([call]))[0])
    assert claim is not None
    assert claim.events == []


async def _desk(redis: Redis, room: int) -> Desk:
    """Its lane was claimed from before."""
    desk = await Desk(redis).open()
    first = await desk.emit("first")
    assert await desk.ids() == [first]
    assert await desk.settle(first, Status.SUCCEEDED) == 1
    await _sleep(desk, room)
    return desk


async def test_a_sleeping_owner_is_given_events_as_a_claim_would_until_its_room_is_used_up(redis: Redis) -> None:
    desk = await _desk(redis, room=2)
    async with _heard(redis, desk) as heard:
        for number, account in enumerate("AB", 1):
            event_id = await desk.emit(account)
            given = read_given(await _next(heard))
            assert (given.partition, given.generation) == (HOME, desk.generation)
            (claimed,) = _read(given, desk).events
            assert (claimed.event.id, claimed.n, claimed.whole().account_id) == (event_id, 1, account)
            assert await redis.hget(keys.own(HOME), "given") == str(number).encode()  # type: ignore[misc]
        last = await desk.emit("C")
        assert await _next(heard) == str(HOME).encode(), "woken, not given"
        assert await desk.ids() == [last]
        for event_id in list(desk.claimed)[1:]:
            assert await desk.settle(event_id, Status.SUCCEEDED) == 1
    await desk.assert_well()


async def test_what_nobody_hears_of_is_due_as_if_it_had_never_been_claimed(redis: Redis) -> None:
    desk = await _desk(redis, room=2)
    event_id = await desk.emit("A")
    (claimed,) = (await desk.claim()).events
    assert (claimed.event.id, claimed.n, claimed.state.attempts) == (event_id, 1, 0)
    assert await redis.hget(keys.own(HOME), "given") == b"0"  # type: ignore[misc]
    await desk.assert_well()


async def test_an_event_behind_another_of_its_account_is_not_given(redis: Redis) -> None:
    desk = await _desk(redis, room=2)
    async with _heard(redis, desk) as heard:
        head = await desk.emit("A")
        assert [one.event.id for one in _read(read_given(await _next(heard)), desk).events] == [head]
        await desk.emit("A")
        assert await _next(heard) == str(HOME).encode()
        assert await desk.ids() == []
    await desk.assert_well()


@pytest.mark.parametrize("reason", ["never claimed from", "large", "paused", "owned anew", "lease over"])
async def test_an_owner_is_woken_where_nothing_can_be_given(redis: Redis, reason: str) -> None:
    desk = await _desk(redis, room=2)
    event = event_of(LANE, PARTITIONS, "A", payload={"x": os.urandom(70_000 if reason == "large" else 10).hex()})
    if reason == "never claimed from":
        await redis.hdel(keys.lane(HOME, LANE), "cap")  # type: ignore[misc]
    elif reason == "paused":
        await redis.hset(keys.lane(HOME, LANE), "paused", "1")  # type: ignore[misc]
    elif reason == "owned anew":
        newer = desk.generation + 1
        assert await desk.store.own(HOME, desk.generation, desk.worker.name, (), newer)
        desk.worker.generations[HOME] = newer
        await redis.hset(keys.own(HOME), "asleep", "1")  # type: ignore[misc]
    elif reason == "lease over":
        await redis.hset(keys.own(HOME), "until", "1")  # type: ignore[misc]
    async with _heard(redis, desk) as heard:
        await desk.queue.accept([event])
        assert await _next(heard) == str(HOME).encode()
    assert await redis.hget(keys.own(HOME), "asleep") == b"0"  # type: ignore[misc]
    await desk.assert_well()


async def test_a_retry_that_is_due_takes_a_place_and_the_owner_is_woken_for_the_rest(redis: Redis) -> None:
    desk = await _desk(redis, room=0)
    retried = await desk.emit("A")
    assert await desk.ids() == [retried]
    assert await desk.settle(retried, Status.RETRYING, 60_000) == 1
    await _sleep(desk, room=1)
    await redis.zadd(keys.due(HOME, LANE), {retried: 1})
    async with _heard(redis, desk) as heard:
        fresh = await desk.emit("B")
        (claimed,) = _read(read_given(await _next(heard)), desk).events
        assert claimed.event.id == retried
        assert await _next(heard) == str(HOME).encode()
        assert await desk.ids() == [fresh]
    await desk.assert_well()


async def test_what_was_given_and_never_came_goes_back_untouched_to_who_owns_anew(redis: Redis) -> None:
    desk = await _desk(redis, room=2)
    async with _heard(redis, desk) as heard:
        lost, held = await desk.emit("A"), await desk.emit("B")
        await _next(heard)
        (claimed,) = _read(read_given(await _next(heard)), desk).events
        assert claimed.event.id == held
    call = desk.store.claim_call(HOME, desk.generation, 10)
    assert (await desk.store.round_trip([call]))[0][3] == 2, "the reply says how many there are"
    newer = desk.generation + 1
    assert await desk.store.own(HOME, desk.generation, desk.worker.name, [claimed.claim_id], newer)
    desk.worker.generations[HOME] = newer
    assert await desk.ids() == [lost]
    assert await desk.settle(held, Status.SUCCEEDED) == 1
    assert await desk.settle(lost, Move.RELEASE) == 1
    await desk.assert_well()


async def test_each_owner_is_given_its_own_where_one_call_accepts_for_several(redis: Redis) -> None:
    lanes = {0: "", 1: ""}
    desk = await Desk(redis, partitions=2).open()
    await desk.worker.own(1 - desk.home)
    number = 0
    while not all(lanes.values()):
        number += 1
        event = event_of(f"{number:08x}-0000-4000-8000-000000000000", 2, "A")
        lanes[desk.queue.partition_of(event.integration_id)] = event.integration_id
    for lane in lanes.values():
        await redis.hset(keys.lane(desk.queue.partition_of(lane), lane), "cap", "10")  # type: ignore[misc]
    for partition, generation in desk.worker.generations.items():
        await desk.store.round_trip([desk.store.claim_call(partition, generation, 10, up_to=1)])
    async with _heard(redis, desk) as heard:
        await desk.queue.accept([event_of(lane, 2, "A") for lane in lanes.values()])
        given = [read_given(await _next(heard)) for _ in lanes]
        assert {one.partition: _read(one, desk).events[0].event.integration_id for one in given} == lanes
    await desk.assert_well()


@pytest.mark.parametrize("message", [b"7", b"\n", b"1 2 3\n", b"1 2 3 -1 4\nabc", b"1 2 3 -1 1 1\nab", b"x y\nz"])
def test_another_message_is_none(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_given(message)
