"""Listens for changed definitions, for as long as it is not cancelled. Never raises a Redis error.

What was announced while the connection was down is lost, so every new subscription starts with ``reset``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from dispatcher.errors import StoreUnavailable
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.subscription import next_message

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


async def follow(redis: Redis, changed: Callable[[str], None], reset: Callable[[], None]) -> None:
    """Call ``changed`` with each announced id, and ``reset`` whenever one may have been missed.

    In a cluster any one node is asked, since each hears what is published on another.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            with guarded():
                async with _listener(redis) as client, client.pubsub() as subscription:
                    await subscription.subscribe(keys.DEFINITIONS_CHANNEL)
                    async for message in _messages(subscription):
                        pause_s = _FIRST_PAUSE_S
                        if message["type"] == "message":
                            changed(message["data"].decode())
                        elif message["type"] == "subscribe":
                            reset()
        except (StoreUnavailable, RedisError):
            reset()
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _messages(subscription: PubSub) -> AsyncIterator[dict[str, Any]]:
    while True:
        message = await next_message(subscription)
        if message is not None:
            yield message


@asynccontextmanager
async def _listener(redis: Redis) -> AsyncIterator[Redis]:
    """A client that can subscribe: the given one, or for a cluster one of the node that it knows best now."""
    if not isinstance(redis, RedisCluster):
        yield redis
        return
    await redis.initialize()
    node = redis.get_default_node()
    client = Redis.from_pool(ConnectionPool(connection_class=node.connection_class, **node.connection_kwargs))
    try:
        yield client
    finally:
        await client.aclose()
