"""Lua scripts: each names its prelude, all are found, and Redis may forget them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from dispatcher.errors import StoreUnavailable
from dispatcher.store.queue.owning.codec import ClaimedRow, ClaimRequest, OutcomeRow
from dispatcher.store.redis.connection import connect
from dispatcher.store.redis.scripts import PRELUDES, Script, all_scripts, attempt, reply_of, run, script

FOLDER = files("dispatcher.store").joinpath("lua")


def lua(name: str) -> str:
    return FOLDER.joinpath(f"{name}.lua").read_text()


@pytest.mark.parametrize("each", all_scripts(), ids=lambda each: each.name)
def test_the_first_line_of_each_script_names_its_prelude(each: Script) -> None:
    first = lua(each.name).splitlines()[0]
    assert first in [f"-- prelude: {word}" for word in PRELUDES]
    assert lua(each.name) in each.text


@pytest.mark.parametrize("each", all_scripts(), ids=lambda each: each.name)
def test_what_a_script_names_of_its_prelude_is_made_in_it_beforehand(each: Script) -> None:
    prelude = PRELUDES[each.prelude]
    words = re.findall(r"^local function (\w+)", lua(prelude.removesuffix(".lua")) if prelude else "", re.MULTILINE)
    code = re.sub("--.*", "", each.text)
    for word in words:
        first = re.search(rf"\b{word}\(", code)
        assert first is None or code[: first.start()].endswith("local function ")


@pytest.mark.parametrize("each", all_scripts(), ids=lambda each: each.name)
def test_a_script_that_uses_the_words_of_a_prelude_names_it(each: Script) -> None:
    body = lua(each.name)
    assert (each.prelude == "queue") is bool(re.search(r"\bNOW\b|[^.]\bcall\(|^-- parts: ", body, re.MULTILINE))
    assert (each.prelude == "audit") is bool(re.search(r"^note\(\)$", body, re.MULTILINE))


def test_every_file_in_a_room_is_a_script_and_preludes_lie_beside_the_rooms() -> None:
    rooms = {room.name for room in FOLDER.iterdir() if room.is_dir()}
    assert {each.name.partition("/")[0] for each in all_scripts()} == rooms
    assert {file.name for file in FOLDER.iterdir() if file.is_file()} == {name for name in PRELUDES.values() if name}


def named(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found
    return tuple(re.findall(r"\w+", found[1]))


def test_requests_and_replies_of_claim_and_settle_have_the_same_names_on_both_sides() -> None:
    claim, settle = lua("queue/claim"), lua("queue/settle")
    assert named(r"local ([\w, ]+) = unpack\(ARGV\)", claim) == ClaimRequest._fields
    assert named(r"\n\s+= (id, [\w, ]+)", claim) == ClaimedRow._fields
    assert named(r"local ([\w,\s]+) = unpack\(ARGV, i, i \+ WIDTH - 1\)", settle) == OutcomeRow._fields
    assert f"local WIDTH = {len(OutcomeRow._fields)} " in settle


async def test_every_call_is_answered_after_redis_forgot_its_scripts(redis: Redis) -> None:
    calls = [script("queue/grant").call([f"{{p{n}}}:own"], 1000) for n in range(3)]
    await redis.script_flush()
    assert all(int(generation) > 0 for generation in await run(redis, calls))
    await redis.script_flush()
    assert await run(redis, calls) == [0, 0, 0]
    assert all(await redis.script_exists(*(each.sha for each in all_scripts())))


async def test_an_error_stands_in_the_place_of_its_reply_or_is_raised(redis: Redis) -> None:
    await redis.set("{p1}:own", "no hash")
    calls = [script("queue/grant").call([f"{{p{n}}}:own"], 1000) for n in range(2)]
    good, bad = await attempt(redis, calls)
    assert int(good) > 0
    assert isinstance(bad, ResponseError)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await run(redis, calls)


async def test_keys_of_a_script_stand_before_those_of_a_call(redis: Redis) -> None:
    drop = script("secrets/drop_if_equal", "{a}:lock")
    await redis.set("{a}:lock", "mine")
    assert drop.call(["{a}:other"], "x").keys == ("{a}:lock", "{a}:other")
    assert await reply_of(redis, drop.call((), "another's")) == 0
    assert await reply_of(redis, drop.call((), "mine")) == 1


async def test_a_script_on_a_server_that_is_away_raises_store_unavailable() -> None:
    async with connect("unix:///nowhere/at/all") as away:
        with pytest.raises(StoreUnavailable):
            await reply_of(away, script("queue/grant").call(["{p0}:own"], 1000))


async def test_at_maxmemory_a_script_runs_or_is_refused_as_its_second_line_says(redis: Redis) -> None:
    swap = script("documents/swap", "{d}:head", "{d}:log")
    await redis.set("{d}:doc", "old")
    deletion = swap.call(["{d}:doc"], "", "1:" + "0" * 64, "{}", 1000, 10, 1, 3, "", "old", "")
    grant = script("queue/grant").call(["{p0}:own"], 1000)
    await redis.config_set("maxmemory", "1")
    try:
        assert int(await reply_of(redis, grant)) > 0
        refused = (await attempt(redis, [deletion]))[0]
    finally:
        await redis.config_set("maxmemory", "0")
    assert isinstance(refused, OutOfMemoryError)
    assert await redis.get("{d}:doc") == b"old", "a deletion without its entry"
    assert await reply_of(redis, deletion) == 1
    assert await redis.exists("{d}:doc", "{d}:log") == 1
