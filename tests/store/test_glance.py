"""One look says for several kinds whether something is due, and spares those who look often their requests."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.clock import system_clock
from dispatcher.store.definitions.schedule import glance
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.definitions.schedule.glance import Glance
from dispatcher.store.installations.installed.outbox import Outbox
from dispatcher.store.keys import installations as keys

KINDS = (keys.OUTBOX, keys.PENDING, keys.FREED)


async def asked(redis: Redis) -> int:
    """Questions and scripts that were run."""
    stats = await redis.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("evalsha", "zcount"))


async def test_only_kinds_with_something_due_are(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "FRESH_S", 0)
    look = Glance(redis, KINDS, system_clock.now_ms)
    assert [await look.is_due(key) for key in KINDS] == [False, False, False]
    await redis.zadd(keys.PENDING, {"a": 1})
    await redis.zadd(keys.FREED, {"b": 2**52})
    assert [await look.is_due(key) for key in KINDS] == [False, True, False]
    await redis.zadd(keys.FREED, {"c": 1})
    await redis.zrem(keys.PENDING, "a")
    assert [await look.is_due(key) for key in KINDS] == [False, False, True]


async def test_many_who_look_at_once_ask_once(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "FRESH_S", 3600)
    look = Glance(redis, KINDS, system_clock.now_ms)
    stores = [DueStore(redis, key, glance=look) for key in KINDS[1:]]
    outbox = Outbox(redis, look)
    await look.is_due(keys.OUTBOX)
    await redis.zadd(keys.PENDING, {"a": 1})
    before = await asked(redis)
    assert [taken.ids for taken in await asyncio.gather(*(store.take(5) for store in stores))] == [(), ()]
    assert await outbox.waiting(2**52) == []
    assert await asked(redis) == before, "as of the look before"


async def test_what_is_due_is_taken_as_without_a_glance(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "FRESH_S", 0)
    look = Glance(redis, KINDS, system_clock.now_ms)
    store = DueStore(redis, keys.PENDING, glance=look)
    await redis.zadd(keys.PENDING, {"a": 1})
    await redis.zadd(keys.OUTBOX, {"n": 1})
    assert (await store.take(5)).ids == ("a",)
    assert (await store.take(5)).ids == (), "held for its taker"
    assert await Outbox(redis, look).waiting(2**52) == ["n"]
