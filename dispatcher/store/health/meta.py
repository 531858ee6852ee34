"""Agrees with the store on what may never change under it: the partition count and the schema. Never migrates."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from dispatcher.errors import ConfigurationError
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded

SCHEMA = 1


async def claim_meta(redis: Redis, partitions: int) -> None:
    """Writes both at the first start and compares them at every other; of two first starts at once, one wins.

    Raises ConfigurationError when the store was made with other numbers.
    """
    stored_partitions = await _settle(redis, "partitions", partitions)
    stored_schema = await _settle(redis, "schema", SCHEMA)
    if stored_partitions != partitions:
        raise ConfigurationError(
            f"the store was made with {stored_partitions} partitions, DISPATCHER_PARTITIONS says {partitions}: "
            f"set DISPATCHER_PARTITIONS={stored_partitions}, or use an empty Redis"
        )
    if stored_schema != SCHEMA:
        raise ConfigurationError(
            f"the store has schema {stored_schema}, this version reads schema {SCHEMA}: "
            "run the version that wrote it, or use an empty Redis"
        )


async def stored_partitions(redis: Redis) -> int | None:
    """The store's partition count, None while it is new."""
    with guarded():
        value = await cast("Awaitable[bytes | None]", redis.hget(keys.META, "partitions"))
    return int(value) if value is not None else None


async def _settle(redis: Redis, field: str, value: int) -> int:
    """The stored value, which is ``value`` if there was none. Where there is one nothing is written: a full Redis
    would refuse it, and no process could start.
    """
    with guarded():
        stored = await cast("Awaitable[bytes | None]", redis.hget(keys.META, field))
        if stored is None:
            await cast("Awaitable[int]", redis.hsetnx(keys.META, field, str(value)))
            stored = await cast("Awaitable[bytes]", redis.hget(keys.META, field))
    return int(stored)
