"""The cache of definitions, on a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from dispatcher.model.integration import Product
from dispatcher.store.definitions.cache.definitions import MAX_AGE_S, DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.keys import definitions as keys
from tests.store.definition_samples import NOW_MS, fresh, publish, renamed
from tests.waiting import until


@pytest.fixture
def definitions(redis: Redis) -> Definitions:
    return Definitions(redis)


@pytest.fixture
async def cache(redis: Redis) -> AsyncIterator[DefinitionCache]:
    """A cache in another process, as far as it can tell: it shares nothing with ``definitions``."""
    async with DefinitionCache(Definitions(redis), redis) as opened:
        await listening(redis)
        yield opened


async def listening(redis: Redis, count: int = 1) -> None:
    async def subscribed() -> bool:
        return dict(await redis.pubsub_numsub(keys.DEFINITIONS_CHANNEL)).get(b"dispatcher:definitions") == count

    await until(subscribed)


async def test_cache_answers_peeks_after_a_load(definitions: Definitions, cache: DefinitionCache) -> None:
    created = await publish(definitions, await definitions.create(fresh()))
    await definitions.link("p1", created.id, NOW_MS)
    await asyncio.sleep(0.05)
    assert cache.peek_integration(created.id) is None
    loaded = await cache.load([created.id], [(created.id, 1), (created.id, 0), (created.id, 9)], ["p1", "p2"])
    assert set(loaded.revisions) == {(created.id, 1), (created.id, 0)}
    assert set(loaded.products) == {"p1"}
    assert cache.peek_integration(created.id) == loaded.integrations[created.id]
    assert cache.peek_revision(created.id, 1) == loaded.revisions[(created.id, 1)]
    assert cache.peek_revision(created.id, 0) == created.working
    assert cache.peek_product("p1") == Product("p1", created.id)


async def test_cache_hears_of_writes_elsewhere(definitions: Definitions, cache: DefinitionCache) -> None:
    created = await definitions.create(fresh())
    await cache.integration(created.id)
    await cache.product("p1")
    await definitions.edit(created.id, lambda one: renamed(one, "new"))
    await until(lambda: cache.peek_integration(created.id) is None)
    found = await cache.integration(created.id)
    assert found is not None
    assert found.name == "new"


async def test_own_writes_are_seen_at_once(redis: Redis) -> None:
    definitions = Definitions(redis)
    async with DefinitionCache(definitions, redis) as cache:
        created = await definitions.create(fresh())
        await cache.integration(created.id)
        await definitions.edit(created.id, lambda one: renamed(one, "new"))
        assert cache.peek_integration(created.id) is None


async def test_absence_is_never_remembered(definitions: Definitions, cache: DefinitionCache) -> None:
    assert await cache.product("p1") is None
    created = await definitions.create(fresh())
    assert await cache.revision(created.id, 1) is None
    await publish(definitions, created)
    await definitions.link("p1", created.id, NOW_MS)
    assert await cache.product("p1") is not None
    assert await cache.revision(created.id, 1) is not None


async def test_lost_subscription_drops_everything(
    definitions: Definitions, cache: DefinitionCache, redis: Redis
) -> None:
    created = await publish(definitions, await definitions.create(fresh()))
    await cache.load([created.id], [(created.id, 1)])
    await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
    await until(lambda: cache.peek_revision(created.id, 1) is None)
    await listening(redis)


async def test_old_entries_are_not_believed_but_revisions_are(redis: Redis) -> None:
    now = 0.0
    definitions = Definitions(redis)
    cache = DefinitionCache(definitions, redis, now=lambda: now)
    created = await publish(definitions, await definitions.create(fresh()))
    await cache.load([created.id], [(created.id, 1)])
    now = MAX_AGE_S + 0.1
    assert cache.peek_integration(created.id) is None
    assert cache.peek_revision(created.id, 1) is not None


async def test_unchanged_definition_stays_the_same_object_when_it_is_read_again(redis: Redis) -> None:
    now = 0.0
    definitions = Definitions(redis)
    cache = DefinitionCache(definitions, redis, now=lambda: now)
    created = await definitions.create(fresh())
    first = await cache.integration(created.id)
    now = MAX_AGE_S + 0.1
    assert (await cache.load([created.id])).integrations[created.id] is first
    assert cache.peek_integration(created.id) is first
    cache.invalidate(created.id)
    assert await cache.integration(created.id) == first


async def test_write_during_a_read_is_not_overwritten_by_the_older_answer(redis: Redis) -> None:
    definitions = Definitions(redis)
    cache = DefinitionCache(definitions, redis)
    created = await definitions.create(fresh())
    reading = asyncio.create_task(cache.load([created.id]))
    await asyncio.sleep(0)
    cache.invalidate(created.id)
    assert (await reading).integrations == {created.id: created}
    assert cache.peek_integration(created.id) is None


async def test_cache_stays_bounded_and_keeps_what_is_used(redis: Redis) -> None:
    definitions = Definitions(redis)
    cache = DefinitionCache(definitions, redis, capacity=3)
    created = [await definitions.create(fresh()) for _ in range(5)]
    for one in created:
        await cache.integration(one.id)
        cache.peek_integration(created[0].id)
    assert [cache.peek_integration(one.id) is not None for one in created] == [True, False, False, True, True]


async def test_peek_costs_microseconds_at_most(redis: Redis) -> None:
    definitions = Definitions(redis)
    cache = DefinitionCache(definitions, redis)
    created = await definitions.create(fresh())
    await cache.integration(created.id)
    started_s = time.process_time()
    for _ in range(10_000):
        cache.peek_integration(created.id)
    assert (time.process_time() - started_s) / 10_000 < 5e-6
