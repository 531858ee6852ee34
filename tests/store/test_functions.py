"""Scripts as functions that Redis keeps: loaded again when it forgot them, done without where it has or allows none."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, OutOfMemoryError, ResponseError
from structlog.testing import capture_logs

from dispatcher.model.status import Status
from dispatcher.store.redis.connection import connect
from dispatcher.store.redis.functions import are_kept, not_begun
from dispatcher.store.redis.scripts import all_scripts, attempt, forget_other_versions, script
from tests.store.desk import Desk
from tests.store_commands import counted

KEPT = {one.name: one for one in all_scripts() if one.function}
FOREIGN = "#!lua name={name}\nredis.register_function('f_{name}', function() return 1 end)"


async def libraries(redis: Redis) -> set[str]:
    return {one[1].decode() for one in await redis.function_list()}  # type: ignore[misc]


async def deliver(redis: Redis) -> None:
    """Two events of one account, from acceptance to their ends, in an empty database."""
    await redis.flushdb()
    desk = await Desk(redis).open()
    made = [await desk.emit("A"), await desk.emit("A")]
    for event_id in made:
        assert await desk.ids() == [event_id]
        await desk.settle(event_id, Status.SUCCEEDED)
    await desk.assert_well()


def test_the_scripts_of_every_event_are_functions() -> None:
    assert {*KEPT} == {f"queue/{name}" for name in ("accept", "claim", "settle", "settle_and_claim")}
    assert len({one.function for one in KEPT.values()}) == len(KEPT)


async def test_functions_that_redis_forgot_are_loaded_again(redis: Redis) -> None:
    await redis.function_flush("SYNC")  # type: ignore[misc]
    async with counted(redis) as commands:
        await deliver(redis)
    assert await libraries(redis) == {one.function for one in KEPT.values()}
    assert commands.calls["function|load"] == len(KEPT)
    assert are_kept(redis)


@pytest.mark.parametrize("rules", [("-fcall",), ("-function|load",)])
async def test_a_user_without_functions_sends_scripts_and_is_told_so_once(
    redis: Redis, redis_url: str, rules: tuple[str, ...]
) -> None:
    await redis.function_flush("SYNC")  # type: ignore[misc]
    await redis.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "plain", "reset", "on", ">pw", "allkeys", "allchannels", "+@all", *rules
    )
    async with connect(redis_url.replace("unix://", "unix://plain:pw@")) as plain:
        with capture_logs() as lines:
            await deliver(plain)
            async with counted(redis) as commands:
                await deliver(plain)
        assert not are_kept(plain)
    assert (commands.calls["fcall"], commands.calls["eval"]) == (0, 0)
    assert commands.calls["evalsha"] > 0
    assert len([line for line in lines if line["event"].startswith("scripts are sent by their names")]) == 1


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ResponseError("unknown command `FCALL`, with args beginning with: `dispatcher_1`, "), False),
        (ResponseError("unknown command 'FCALL', with args beginning with: "), False),
        (NoPermissionError("this user has no permissions to run the 'fcall' command"), False),
        (NoPermissionError("User plain has no permissions to run the 'fcall' command"), False),
        (ResponseError("Function not found"), True),
    ],
)
async def test_a_function_that_was_not_begun_is_told_from_one_that_failed(error: Exception, kept: bool) -> None:
    async with connect("unix:///nowhere/at/all") as client:
        failed = ResponseError("ACL failure in script: User plain has no permissions to run the 'hset' command")
        assert not_begun(client, [b"ok", error, failed]) == [1]
        assert are_kept(client) is kept


async def test_functions_of_other_versions_go_and_those_of_others_stay(redis: Redis) -> None:
    await redis.function_flush("SYNC")  # type: ignore[misc]
    old = "dispatcher_" + "0" * 40
    for name in (old, "theirs"):
        await redis.function_load(FOREIGN.format(name=name))  # type: ignore[misc]
    await deliver(redis)
    ours = {one.function for one in KEPT.values()}
    assert await libraries(redis) == {*ours, old, "theirs"}
    await forget_other_versions(redis)
    assert await libraries(redis) == {*ours, "theirs"}
    await redis.function_delete("theirs")  # type: ignore[misc]


async def test_in_a_cluster_functions_are_kept_and_those_of_other_versions_go(cluster: Redis) -> None:
    old = "dispatcher_" + "0" * 40
    asked: Any = cluster
    await asked.initialize()
    (node,) = asked.get_primaries()
    await asked.execute_command("FUNCTION LOAD", FOREIGN.format(name=old), target_nodes=node)
    await forget_other_versions(cluster)
    assert await attempt(cluster, [script("queue/accept").call(["{p0}:own"], 0)]) == [[]]
    listed = await asked.execute_command("FUNCTION LIST", target_nodes=node)
    assert {one[1].decode() for one in listed} == {one.function for one in KEPT.values()}


@pytest.mark.parametrize("sent", ["function", "script"])
async def test_at_maxmemory_nothing_is_accepted_and_all_else_goes_on(redis: Redis, sent: str) -> None:
    await deliver(redis)
    accept = script("queue/accept").call(["{p0}:own"], 1, "an id", "lane\ngroup\n{}")
    rest = script("queue/settle").call(["{p0}:own"], "0", 1000, 0, 0)
    called = [one.by_name(redis) if sent == "function" else one.by_text() for one in (accept, rest)]
    await redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(OutOfMemoryError):
            await redis.execute_command(*called[0])  # type: ignore[no-untyped-call]
        assert await redis.execute_command(*called[1]) == [b"lost"]  # type: ignore[no-untyped-call]
    finally:
        await redis.config_set("maxmemory", "0")
    assert await redis.exists("{p0}:e:an id") == 0
