"""Listens for changed definitions, for as long as it is not cancelled. Never raises a Redis error.

News that came while the connection was down is lost, so every new subscription starts with ``reset``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from dispatcher.errors import StoreUnavailable
from dispatcher.store import keys
from dispatcher.store.connection import guarded

_POLL_S = 1.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


async def follow(redis: Redis, changed: Callable[[str], None], reset: Callable[[], None]) -> None:
    """Call ``changed`` with each announced id, and ``reset`` whenever news may have been missed.

    ``redis`` is a client that can subscribe: in a cluster, one of a single node.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            with guarded():
                async with redis.pubsub() as subscription:
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
    """What arrives; asks with a deadline, so that the health check of the connection has its turn."""
    while True:
        message = await subscription.get_message(timeout=_POLL_S)
        if message is not None:
            yield message
