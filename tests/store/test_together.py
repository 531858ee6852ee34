"""What is asked in one moment is one request, in which everybody finds their own reply, or their own error."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dispatcher.errors import StoreUnavailable
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import connect, guarded
from dispatcher.store.redis.scripts import each_command, reply_of, script
from dispatcher.store.redis.together import together


async def requests(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])


async def test_what_many_ask_at_one_moment_is_one_request(redis: Redis) -> None:
    calm = together(redis)
    await redis.hset("h", mapping={"a": "1"})  # type: ignore[misc]
    mark = script("health/mark").call(["{p0}:marks"], "me", 0, 0, 1000)
    await reply_of(calm, mark)
    before = await requests(redis)
    text, fields, listed, (now_ms, lost, _), _ = await asyncio.gather(
        calm.get("nothing"),
        calm.hgetall("h"),  # type: ignore[arg-type]
        each_command(calm, [("HGET", "h", "a"), ("SCARD", "h"), ("EXISTS", "h")]),
        reply_of(calm, mark),
        calm.set("k", "v", px=60_000),
    )
    assert await requests(redis) - before == 2, "that one, and the question after it"
    assert (text, fields, lost) == (None, {b"a": b"1"}, 0)
    assert now_ms > 0
    assert (listed[0], listed[2]) == (b"1", 1)
    assert isinstance(listed[1], ResponseError)


async def test_an_error_is_for_who_asked_for_it_alone(redis: Redis) -> None:
    calm = together(redis)
    await redis.set("text", "v")
    outcomes = await asyncio.gather(calm.scard("text"), calm.get("text"), return_exceptions=True)  # type: ignore[arg-type]
    assert isinstance(outcomes[0], ResponseError)
    assert outcomes[1] == b"v"


async def test_who_gave_up_holds_nobody_up_and_is_not_asked_for(redis: Redis) -> None:
    calm = together(redis)
    gone = asyncio.create_task(each_command(calm, [("SET", "k", "v")]))
    kept = asyncio.create_task(each_command(calm, [("GET", "k")]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await kept == [None]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_store_that_is_away_is_away_for_all_and_back_for_the_next() -> None:
    async with connect("redis://127.0.0.1:1") as nowhere:
        calm = together(nowhere)
        with pytest.raises(StoreUnavailable), guarded():
            await asyncio.gather(calm.get("k"), calm.get(keys.META))
        with pytest.raises(StoreUnavailable):
            await each_command(calm, [("GET", "k")])
