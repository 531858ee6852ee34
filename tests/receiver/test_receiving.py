"""One notification from its bytes to the answer: once, whatever arrives, in memory and in Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
import redis as redis_sync
from redis.asyncio import Redis

from dispatcher.receiver import (
    Answer,
    ErrorCode,
    Event,
    MarketplaceEvent,
    MemoryRepeats,
    Receiver,
    RedisRepeats,
    Repeats,
    SubscriptionCancel,
    SubscriptionOrder,
    Verifier,
    busy,
    later,
    pending,
    refused,
    repeats,
    succeeded,
)
from dispatcher.receiver.repeats import Claim
from tests.receiver.signed import NOW_S, SECRET, notification, signed

ORDER = notification("SUBSCRIPTION_ORDER", {"order": {"editionCode": "BASIC"}})


@pytest.fixture(params=["memory", "redis", "redis as text"])
async def guard(request: pytest.FixtureRequest, redis: Redis, redis_url: str) -> AsyncIterator[Repeats]:
    if request.param == "memory":
        yield MemoryRepeats()
    elif request.param == "redis":
        yield RedisRepeats(redis)
    else:
        async with Redis.from_url(redis_url, decode_responses=True) as client:
            yield RedisRepeats(client)


def receiver(guard: Repeats | None = None) -> Receiver:
    return Receiver(Verifier(SECRET), repeats=guard, clock=lambda: NOW_S)


async def test_an_order_reaches_its_handler_once_and_repeats_get_the_first_answer(guard: Repeats) -> None:
    host, seen = receiver(guard), list[SubscriptionOrder]()

    @host.on(SubscriptionOrder)
    async def order(event: SubscriptionOrder) -> Answer:
        seen.append(event)
        return succeeded(f"account {len(seen)}")

    first = await host.receive(signed(ORDER), ORDER)
    again = await host.receive(signed(ORDER, age_s=60), ORDER)
    assert first == again == Answer(200, {"success": True, "accountIdentifier": "account 1"})
    assert [one.order for one in seen] == [{"editionCode": "BASIC"}]


async def test_who_comes_while_the_work_is_done_is_to_come_again(guard: Repeats) -> None:
    host, begun, go = receiver(guard), asyncio.Event(), asyncio.Event()

    @host.on(Event)
    async def slow(event: Event) -> Answer:
        begun.set()
        await go.wait()
        return later()

    first = asyncio.create_task(host.receive(signed(ORDER), ORDER))
    await begun.wait()
    assert (await host.receive(signed(ORDER), ORDER)).status == 409
    go.set()
    assert (await first).status == 202
    assert (await host.receive(signed(ORDER), ORDER)).status == 202


@pytest.mark.parametrize("given", [refused(ErrorCode.USER_NOT_FOUND), pending("soon"), busy(5)], ids=lambda one: "")
async def test_what_was_not_done_is_tried_anew_when_it_comes_again(guard: Repeats, given: Answer) -> None:
    host, answers = receiver(guard), [given, succeeded()]
    host.on(SubscriptionOrder)(lambda _: answers.pop(0))
    assert await host.receive(signed(ORDER), ORDER) == given
    assert await host.receive(signed(ORDER), ORDER) == succeeded()


async def test_a_handler_that_fails_is_logged_and_tried_anew(guard: Repeats, caplog: pytest.LogCaptureFixture) -> None:
    host, faults = receiver(guard), [RuntimeError("the secret of the database")]

    @host.on(MarketplaceEvent)
    def handle(event: MarketplaceEvent) -> Answer:
        for fault in faults:
            raise fault
        return succeeded()

    with caplog.at_level(logging.ERROR, "dispatcher.receiver"):
        answer = await host.receive(signed(ORDER), ORDER)
    assert (answer.status, b"secret" in answer.body()) == (500, False)
    assert "SUBSCRIPTION_ORDER failed at event e-1" in caplog.text
    faults.clear()
    assert await host.receive(signed(ORDER), ORDER) == succeeded()


async def test_a_handler_that_is_cancelled_keeps_nothing(guard: Repeats) -> None:
    host, begun = receiver(guard), asyncio.Event()
    waits: list[Callable[[], object]] = [begun.set]

    @host.on(Event)
    async def first_never_ends(event: Event) -> Answer:
        for wait in waits:
            wait()
            await asyncio.Event().wait()
        return succeeded()

    task = asyncio.create_task(host.receive(signed(ORDER), ORDER))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    waits.clear()
    assert await host.receive(signed(ORDER), ORDER) == succeeded()


async def test_the_claim_of_a_process_that_died_is_anybodys(redis: Redis) -> None:
    now_s = 0.0
    memory = MemoryRepeats(steady=lambda: now_s)
    dead = await memory.claim("e-1")
    assert (await memory.claim("e-1")) == Claim()
    now_s = repeats.CLAIMED_S + 1.0
    heir = await memory.claim("e-1")
    assert heir.token
    assert dead.token
    await memory.release("e-1", dead.token)
    assert (await memory.claim("e-1")) == Claim()
    shared = RedisRepeats(redis, key="mine:{id}")
    assert (await shared.claim("e-1")).token
    assert 0 < await redis.pttl("mine:e-1") <= repeats.CLAIMED_S * 1000
    await shared.release("e-1", "another's")
    assert (await shared.claim("e-1")) == Claim()
    await shared.keep("e-1", later())
    assert await redis.pttl("mine:e-1") > repeats.CLAIMED_S * 1000


async def test_memory_keeps_the_newest() -> None:
    memory = MemoryRepeats(max_kept=2)
    for event_id in ("e-1", "e-2", "e-3"):
        await memory.claim(event_id)
        await memory.keep(event_id, later())
    assert [(await memory.claim(one)).answer for one in ("e-1", "e-2", "e-3")] == [None, later(), later()]


async def test_a_redis_client_that_blocks_will_do(redis_url: str) -> None:
    with redis_sync.Redis.from_url(redis_url) as client:
        host = receiver(RedisRepeats(client))
        host.on(Event)(lambda _: succeeded("a"))
        assert [await host.receive(signed(ORDER), ORDER) for _ in range(2)] == [succeeded("a")] * 2


async def test_the_nearest_class_handles_an_event_and_without_any_it_is_refused() -> None:
    host = receiver()
    host.on(MarketplaceEvent)(lambda _: succeeded("general"))
    host.on(SubscriptionOrder, SubscriptionCancel)(lambda _: succeeded("special"))
    change = notification("SUBSCRIPTION_CHANGE")
    assert await host.receive(signed(ORDER), ORDER) == succeeded("special")
    assert await host.receive(signed(change, msg_id="e-2"), change) == succeeded("general")
    unknown = notification("USER_RENAMED")
    answer = await host.receive(signed(unknown, msg_id="e-3"), unknown)
    assert answer == refused(ErrorCode.INVALID_OPERATION, "nothing here handles USER_RENAMED")


async def test_a_test_is_answered_without_work() -> None:
    body = notification("SUBSCRIPTION_ORDER", flag="STATELESS")
    assert await receiver().receive(signed(body), body) == succeeded()


async def test_what_is_not_genuine_reaches_no_handler() -> None:
    host = receiver()
    host.on(Event)(lambda _: succeeded())
    answer = await host.receive(signed(ORDER), ORDER + b" ")
    assert (answer.status, answer.document["errorCode"]) == (401, "UNAUTHORIZED")
    genuine = b'{"type": 1}'
    assert await host.receive(signed(genuine), genuine) == refused(ErrorCode.INVALID_RESPONSE, "type is not a text")
