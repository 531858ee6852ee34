"""The store remembers what it was made with."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ConfigurationError
from dispatcher.store.health.meta import SCHEMA, claim_meta, stored_partitions
from dispatcher.store.keys import deployment as keys


async def test_first_start_writes_partitions_and_schema(redis: Redis) -> None:
    assert await stored_partitions(redis) is None
    await claim_meta(redis, 16)
    await claim_meta(redis, 16)
    assert await redis.hgetall(keys.META) == {b"partitions": b"16", b"schema": str(SCHEMA).encode()}  # type: ignore[misc]
    assert await stored_partitions(redis) == 16


async def test_other_partition_count_is_refused_and_changes_nothing(redis: Redis) -> None:
    await claim_meta(redis, 16)
    with pytest.raises(ConfigurationError, match="set DISPATCHER_PARTITIONS=16"):
        await claim_meta(redis, 32)
    assert await stored_partitions(redis) == 16


async def test_store_of_a_later_schema_is_refused(redis: Redis) -> None:
    await redis.hset(keys.META, "schema", str(SCHEMA + 1))  # type: ignore[misc]
    with pytest.raises(ConfigurationError, match=f"reads schema {SCHEMA}"):
        await claim_meta(redis, 16)


async def test_of_two_first_starts_at_once_one_count_wins(redis: Redis) -> None:
    results = await asyncio.gather(*(claim_meta(redis, n) for n in (8, 16) * 5), return_exceptions=True)
    winner = await stored_partitions(redis)
    assert winner in {8, 16}
    assert [r is None for r in results] == [n == winner for n in (8, 16) * 5]
