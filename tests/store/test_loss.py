"""A loss of the store is noticed by whoever left a sign in it, once, and nothing else is taken for a loss."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.store.health.loss import LossWatch, recorded_losses
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.events import QueueStore

RETENTION_MS = 3_600_000


def watch(redis: Redis, kind: str = "api", retention_ms: int = RETENTION_MS) -> LossWatch:
    return LossWatch(redis, kind, partitions=4, retention_ms=retention_ms)


async def next_millisecond(redis: Redis) -> None:
    """Of the store's clock, by which signs are left: two of the same millisecond do not tell which came first."""
    began_ms = await store_ms(redis)
    while await store_ms(redis) <= began_ms:
        pass


async def store_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


async def test_signs_that_are_there_are_no_loss(redis: Redis) -> None:
    api, worker = watch(redis), watch(redis, "worker")
    for _ in range(3):
        assert (await api.look(), await worker.look()) == (None, None)
    assert await redis.zcard(keys.marks(0)) == 2
    assert await recorded_losses(redis) == []


async def test_an_emptied_store_is_noticed_once_by_each(redis: Redis) -> None:
    api, worker = watch(redis), watch(redis, "worker")
    await api.look()
    await worker.look()
    await redis.flushall()
    await next_millisecond(redis)
    assert (await watch(redis, "new").look()) is None
    for one in (api, worker):
        loss = await one.look()
        assert loss is not None
        assert loss.survived_ms == 0
        assert "at any time" in loss.text
        assert await one.look() is None
        assert (one.count, one.last) == (1, loss)
    assert len(await recorded_losses(redis)) == 1


async def test_an_old_copy_tells_from_when_on_all_is_gone(redis: Redis) -> None:
    api, worker = watch(redis), watch(redis, "worker")
    await api.look()
    await worker.look()
    copy = await redis.zrange(keys.marks(0), 0, -1, withscores=True)
    await next_millisecond(redis)
    await api.look()
    await next_millisecond(redis)
    await redis.delete(keys.marks(0))
    await redis.zadd(keys.marks(0), dict(copy))
    assert await worker.look() is None  # it left no sign since
    loss = await api.look()
    assert loss is not None
    assert loss.survived_ms == min(score for _, score in copy)  # the other sign was overwritten since
    assert loss.survived_ms < loss.noticed_ms
    assert await recorded_losses(redis) == [loss]


async def test_a_sign_left_in_the_millisecond_of_the_one_that_is_gone_did_not_survive(redis: Redis) -> None:
    """Symptom: the loss was told to begin when it had ended."""
    api = watch(redis)
    await api.look()
    ((process, kept_ms),) = await redis.zrange(keys.marks(0), 0, -1, withscores=True)
    await api.look()
    gone_ms = await redis.zscore(keys.marks(0), process)
    await redis.zadd(keys.marks(0), {process: kept_ms, "another": gone_ms})
    loss = await api.look()
    assert loss is not None
    assert loss.survived_ms == kept_ms


async def test_an_accepted_event_that_is_gone_is_a_loss_though_all_signs_are_there(redis: Redis) -> None:
    queue = QueueStore(redis, partitions=4, retention_ms=RETENTION_MS)
    kept, lost = (
        Event(new_event_id(1, 3), EventType.SUBSCRIPTION_CHANGE, new_uuid(), 1, account_id="A", payload={})
        for _ in range(2)
    )
    await queue.accept([kept, lost])
    api = watch(redis)
    assert await api.look() is None
    assert await api.look(kept.id) is None
    await redis.delete(keys.event(3, lost.id))
    signed_ms = int((await redis.zrange(keys.marks(0), 0, 0, withscores=True))[0][1])
    loss = await api.look(lost.id)
    assert loss is not None
    assert loss.survived_ms == signed_ms
    assert await api.look(lost.id) is None


async def test_an_event_that_may_have_expired_is_not_missed(redis: Redis) -> None:
    api = watch(redis, retention_ms=1)
    await api.look()
    await asyncio.sleep(0.01)
    assert await api.look(new_event_id(1, 3)) is None


async def test_a_clock_of_redis_that_goes_back_is_no_loss(redis: Redis) -> None:
    api = watch(redis)
    await api.look()
    member = (await redis.zrange(keys.marks(0), 0, 0))[0]
    ahead_ms = 4_000_000_000_000
    await redis.zadd(keys.marks(0), {member: ahead_ms})
    assert await api.look() is None
    assert await redis.zscore(keys.marks(0), member) == ahead_ms + 1
    assert await api.look() is None
