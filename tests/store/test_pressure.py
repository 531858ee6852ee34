"""Fullness of a store: the numbers it goes by, its bounds, and how often it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.store.health.pressure import BELOW, CALM_S, EVERY_S, LEAST_S, Memory, Pressure
from dispatcher.store.redis.connection import connect
from tests.ports import free_port


@pytest.fixture
async def limited(redis: Redis) -> AsyncIterator[Redis]:
    await redis.setrange("ballast", 30_000_000, "x")  # so that what clients use makes no difference
    yield redis
    await redis.config_set("maxmemory", 0)


async def used_bytes(redis: Redis) -> int:
    return Memory.of(await redis.info("memory")).used_bytes


async def test_without_a_limit_nothing_is_ever_full(redis: Redis) -> None:
    pressure = Pressure(redis, 0.01)
    await pressure.measure()
    assert (pressure.memory.ratio, pressure.full, pressure.pause_s()) == (0.0, False, CALM_S)


async def test_full_from_the_mark_on_and_no_more_below_it(limited: Redis) -> None:
    pressure = Pressure(limited, 0.9)
    for share, full in ((0.85, False), (0.91, True), (0.9 - BELOW / 2, True), (0.85, False), (0.89, False)):
        await limited.config_set("maxmemory", int(await used_bytes(limited) / share))
        await pressure.measure()
        assert pressure.full is full, share
        assert pressure.memory.ratio == pytest.approx(share, abs=0.005)


async def test_a_mark_of_0_is_off(limited: Redis) -> None:
    await limited.config_set("maxmemory", int(await used_bytes(limited) / 0.99))
    pressure = Pressure(limited, 0)
    await pressure.measure()
    assert not pressure.full


def test_buffers_that_redis_does_not_count_do_not_count() -> None:
    assert Memory.of({"used_memory": 900, "mem_not_counted_for_evict": 400, "maxmemory": 1000}).ratio == 0.5


async def test_the_faster_it_fills_the_sooner_it_is_asked_again(limited: Redis) -> None:
    used = await used_bytes(limited)
    await limited.config_set("maxmemory", used + 40_000_000)
    pressure = Pressure(limited, 1.0)
    await pressure.measure()
    assert pressure.pause_s() == EVERY_S
    await limited.setrange("k", 16_000_000, "x")
    await asyncio.sleep(0.05)
    await pressure.measure()
    assert LEAST_S <= pressure.pause_s() < EVERY_S


async def test_growth_that_buffers_given_back_hide_is_still_reckoned_with(limited: Redis) -> None:
    await limited.config_set("maxmemory", await used_bytes(limited) + 40_000_000)
    pressure = Pressure(limited, 1.0)
    await pressure.measure()
    await limited.setrange("k", 16_000_000, "x")
    await pressure.measure()
    quick_s = pressure.pause_s()
    await limited.delete("k")
    await pressure.measure()
    assert quick_s <= pressure.pause_s() < EVERY_S


async def test_a_user_without_info_is_told_of_once_and_never_full(redis: Redis, redis_url: str) -> None:
    await redis.execute_command("ACL", "SETUSER", "plain", "on", ">pw", "~*", "&*", "+@all", "-info")  # type: ignore[no-untyped-call]
    try:
        async with connect(redis_url.replace("unix://", "unix://plain:pw@")) as plain:
            pressure = Pressure(plain, 0.5)
            await pressure.measure()
            await pressure.measure()
            assert not pressure.full
    finally:
        await redis.execute_command("ACL", "DELUSER", "plain")  # type: ignore[no-untyped-call]


async def test_a_password_that_was_wrong_for_a_while_leaves_no_store_unwatched(redis: Redis) -> None:
    user, port = ("ACL", "SETUSER", "rotated", "reset", "on", "~*", "&*", "+@all"), free_port()
    await redis.config_set("port", port)
    await redis.execute_command(*user, ">pw")  # type: ignore[no-untyped-call]
    try:
        async with connect(f"redis://rotated:pw@127.0.0.1:{port}") as client:
            pressure = Pressure(client, 0.9)
            await pressure.measure()
            await redis.execute_command(*user, ">other")  # type: ignore[no-untyped-call]
            await redis.client_kill_filter(user="rotated")
            with pytest.raises(StoreUnavailable):
                await pressure.measure()
            await redis.execute_command(*user, ">pw")  # type: ignore[no-untyped-call]
            pressure.memory = Memory()
            await pressure.measure()
            assert pressure.memory.used_bytes
    finally:
        await redis.execute_command("ACL", "DELUSER", "rotated")  # type: ignore[no-untyped-call]
        await redis.config_set("port", 0)
